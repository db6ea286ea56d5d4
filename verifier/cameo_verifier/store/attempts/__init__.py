"""Challenges, attempts and what is kept to judge and find them."""
