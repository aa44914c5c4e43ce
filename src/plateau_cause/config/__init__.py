"""params.yaml: every key declared once, read into frozen values; the only reader of that file."""
