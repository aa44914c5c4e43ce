"""A user's unchanged training script: what it really does, read while it runs."""
