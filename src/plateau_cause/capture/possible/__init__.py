"""What could be changed in a script and would differ from what it does: the factors of its diagnosis."""
