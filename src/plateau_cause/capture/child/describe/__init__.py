"""What was seen, as one document that a person can read; each fact with file and line."""
