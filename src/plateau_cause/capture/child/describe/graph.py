"""The graph behind a loss: whether backward, called on one tensor, goes through another."""

from __future__ import annotations

from collections import deque
from typing import Any

MOST_OF_ALL = 100_000  # nodes of a whole network
MOST = 3000  # nodes looked at: what is added up to a loss stands near its end


def reaches(root: Any, node: Any) -> bool:
    """Returns whether a backward call from one node of autograd's graph comes to another.

    Args:
        root: `grad_fn` of what backward is called on.
        node: `grad_fn` of what may be a part of it.
    """
    known, waiting = {root}, deque([root])
    while waiting and len(known) < MOST:
        one = waiting.popleft()
        if one is node:
            return True
        further = {before for before, _ in one.next_functions if before is not None} - known
        known |= further
        waiting.extend(further)
    return node in known


def variables(root: Any) -> set[int]:
    """Returns the identities of the leaves, parameters most likely, that a backward call would reach."""
    known, waiting, found = {root}, deque([root]), set[int]()
    while waiting and len(known) < MOST_OF_ALL:
        one = waiting.popleft()
        if hasattr(one, "variable"):
            found.add(id(one.variable))
        further = {before for before, _ in one.next_functions if before is not None} - known
        known |= further
        waiting.extend(further)
    return found
