"""What happens to people who record themselves, and what they are told first."""
