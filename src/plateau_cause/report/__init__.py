"""The report: why the recipe plateaus, in words and pictures, from the verdict alone."""
