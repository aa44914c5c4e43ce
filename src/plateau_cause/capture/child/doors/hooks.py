"""Listeners on functions of libraries: they hear every call, and can neither change it nor break it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

Listener = Callable[..., Any]


class Hooks:
    """Puts listeners around functions; what a listener raises becomes a problem in the record.

    `paused` silences all of them: before the script starts, while plateau itself reads the script's data or
    evaluates its model, and in every process that the script forks.
    """

    def __init__(self) -> None:
        self.paused = True
        self.problems: list[str] = []
        self._replaced: list[tuple[Any, str, Any, Any]] = []  # owner, name, original, with its listener
        os.register_at_fork(after_in_child=self._silence)

    def _silence(self) -> None:
        self.paused = True

    def hear(self, listener: Listener, *arguments: Any, **named: Any) -> Any:
        """Returns what the listener says; None where it fails or all are silent."""
        return None if self.paused else self.attempt(listener, *arguments, **named)

    def attempt(self, listener: Listener, *arguments: Any, **named: Any) -> Any:
        """Returns what a function says, silent or not; None where it fails, which becomes a problem."""
        try:
            return listener(*arguments, **named)
        except Exception as error:
            self._keep(f"{listener.__qualname__}: {type(error).__name__}: {error}")
            return None

    def _keep(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def before(self, owner: Any, name: str, listener: Listener) -> None:
        """Has `listener(*arguments)` called before each call of `owner.name`."""
        self._replace(owner, name, listener, None)

    def after(self, owner: Any, name: str, listener: Listener) -> None:
        """Has `listener(result, *arguments)` called after each call of `owner.name`."""
        self._replace(owner, name, None, listener)

    def during(self, owner: Any, name: str, begin: Callable[[], Any], end: Callable[[], Any]) -> None:
        """Has `begin()` called before and `end()` after each call of `owner.name`, however it ends."""
        original = getattr(owner, name, None)
        if original is None:  # another version of the library
            return

        @functools.wraps(original)
        def within(*arguments: Any, **named: Any) -> Any:
            begin()
            try:
                return original(*arguments, **named)
            finally:
                end()

        setattr(owner, name, within)

    def aside(self, owner: Any, name: str) -> None:
        """Silences all listeners during each call of `owner.name`."""
        before: list[bool] = []

        def begin() -> None:
            before.append(self.paused)
            self.paused = True

        def end() -> None:
            self.paused = before.pop()

        self.during(owner, name, begin, end)

    def without(self, owner: Any, name: str) -> None:
        """Has every function as the library made it during each call of `owner.name`, a compiler's say."""
        depth = 0

        def enter(by: int) -> None:
            nonlocal depth
            depth += by  # compilers call themselves
            if depth == (1 if by > 0 else 0):
                for place, called, *functions in self._replaced:
                    setattr(place, called, functions[by < 0])

        self.during(owner, name, lambda: enter(1), lambda: enter(-1))

    def _replace(self, owner: Any, name: str, first: Listener | None, last: Listener | None) -> None:
        original = getattr(owner, name, None)
        if original is None:  # another version of the library
            return

        @functools.wraps(original)
        def heard(*arguments: Any, **named: Any) -> Any:
            if first is not None:
                self.hear(first, *arguments, **named)
            result = original(*arguments, **named)
            if last is not None:
                self.hear(last, result, *arguments, **named)
            return result

        self._replaced.append((owner, name, original, heard))
        setattr(owner, name, heard)
