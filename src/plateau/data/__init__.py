"""Images and labels: read from any source, decoded once, kept in a store that every later stage reads."""
