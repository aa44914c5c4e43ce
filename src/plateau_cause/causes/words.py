"""A cause in plain words: every cause's file holds its own."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """A cause in plain words.

    Attributes:
        title: what is wrong, a sentence without a full stop.
        repair: short and imperative: a label of the waterfall.
        explanation: why it holds accuracy down, for somebody who meets it for the first time.
    """

    title: str
    repair: str
    explanation: str
