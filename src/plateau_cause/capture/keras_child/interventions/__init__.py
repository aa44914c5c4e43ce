"""What a replay may change in a Keras script, at its calls of `fit`; one file per subject."""
