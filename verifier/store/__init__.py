"""What is kept, in SQLAlchemy Core tables."""
