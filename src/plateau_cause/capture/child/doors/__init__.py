"""The doors of PyTorch: listeners on what makes, reads, steps and calls; each tells what it saw."""
