"""Public training scripts, broken by one line each, through the whole diagnosis."""
