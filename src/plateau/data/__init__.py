"""Images and labels: read from any source once, decoded once, kept in one store that every later stage reads."""
