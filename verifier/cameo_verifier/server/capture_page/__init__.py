"""The capture page: its files, and the WebSocket by which a browser captures a live session."""
