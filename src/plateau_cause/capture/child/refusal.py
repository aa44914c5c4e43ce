"""What a transcription says when it cannot be made."""

from __future__ import annotations


class RefusedError(Exception):
    """A piece that cannot be taken; the message says which and why."""
