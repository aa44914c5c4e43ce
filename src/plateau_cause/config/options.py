"""How a key of params.yaml is declared: its default, what it allows and what it means, in one place."""

from __future__ import annotations

import re
from dataclasses import Field, dataclass, field
from typing import Any

PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}")  # in ASCII: int() reads other scripts too


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one key allows beyond its type; the loader checks it, messages and docs quote it.

    Attributes:
        help: meaning and unit, in one line.
        choices: the words allowed (for text and lists of text); empty: any non-empty text.
        numbered: those of them that may be followed by a number, as in cuda:1.
        low: smallest number allowed.
        above: every number allowed is greater.
        high: largest number allowed.
        below: every number allowed is smaller.
        is_line: a list of text is a command line: it may be empty, say a word twice, and hold numbers.
    """

    help: str = ""
    is_line: bool = False
    choices: tuple[str, ...] = ()
    numbered: tuple[str, ...] = ()
    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None

    def admits(self, number: float) -> bool:
        """Returns whether a finite number lies in the allowed range."""
        return (
            (self.low is None or number >= self.low)
            and (self.above is None or number > self.above)
            and (self.high is None or number <= self.high)
            and (self.below is None or number < self.below)
        )

    def admits_word(self, word: str) -> bool:
        """Returns whether a text is one of the words allowed."""
        name, colon, number = word.partition(":")
        is_numbered = bool(colon) and name in self.numbered and PLAIN_NUMBER.fullmatch(number) is not None
        return not self.choices or word in self.choices or is_numbered

    def words(self) -> tuple[str, ...]:
        """Returns the words allowed, such as ("auto", "cuda", "cuda:N"); empty for any."""
        return (*self.choices, *(f"{name}:N" for name in self.numbered))

    def range_text(self) -> str:
        """Returns the allowed range in words, such as "at least 0 and below 1"; empty for any."""
        limits = {"at least": self.low, "above": self.above, "at most": self.high, "below": self.below}
        return " and ".join(f"{word} {limit:.10g}" for word, limit in limits.items() if limit is not None)


def option(default: Any, **rule: Any) -> Any:
    """Returns a dataclass field with this default and the Rule made of the other arguments."""
    return field(default=default, metadata={"rule": Rule(**rule)})


def section(factory: Any, **rule: Any) -> Any:
    """Returns a dataclass field that holds a nested section, by default the factory's own defaults."""
    return field(default_factory=factory, metadata={"rule": Rule(**rule)})


def rule_of(key: Field[Any]) -> Rule:
    """Returns the Rule of a dataclass field; an empty one where none was declared."""
    rule: Rule = key.metadata.get("rule", Rule())
    return rule
