"""Challenges, attempts, and the data by which they are judged and found."""
