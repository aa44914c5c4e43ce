"""What a script really does, as a plain table."""
