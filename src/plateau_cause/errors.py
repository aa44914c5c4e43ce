"""Errors that the user can mend."""


class PlateauError(Exception):
    """Something the user can mend; the message is one clear line."""
