"""What was seen of a Keras script, as one document with the fields of every other door's."""
