"""Runs in the interpreter of a Keras script: needs numpy beside Python's own, and never imports Keras."""
