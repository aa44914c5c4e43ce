"""Recipes as params.yaml tells them beside the plain PyTorch scripts that they stand for."""
