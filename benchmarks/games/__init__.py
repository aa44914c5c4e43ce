"""Noisy games with known values: what the rule says where the truth is known and nothing is trained."""
