"""How fast plateau is beside bare loops and other libraries: one file per kind of work."""
