"""Worker processes: decode and judge untrusted recordings outside the server process."""
