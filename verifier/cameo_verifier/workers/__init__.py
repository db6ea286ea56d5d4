"""Worker processes: untrusted recordings are decoded and judged apart from whoever answers callers."""
