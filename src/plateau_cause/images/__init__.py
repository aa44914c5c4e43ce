"""Images and labels: read from any source, decoded once, kept in one store that every later stage reads."""
