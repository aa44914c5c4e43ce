"""The command `plateau`: one file per command, each with its help and an example.

Only click is imported before a command runs: `plateau --help` and completion answer at once.
"""
