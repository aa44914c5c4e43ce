"""The stages of dvc.yaml: each reads files, calls the packages that compute, and writes files."""
