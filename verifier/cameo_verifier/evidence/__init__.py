"""Evidence extraction: reduces one recording to arrays with times, in one pass."""
