"""Functions and methods of Keras with something around them, under every name that reaches them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

Around = Callable[..., Any]  # called with the original and its arguments


def around(owner: Any, name: str, act: Around) -> None:
    """Has `act(original, *arguments)` called in place of each call of `owner.name`.

    What stands there afterwards has the name, module and signature of the original: Keras reads signatures
    to know whether a layer takes `training`, and TensorFlow leaves functions of Keras' own modules as they
    are where it turns Python into graphs.
    """
    original = getattr(owner, name, None)
    if original is not None:  # another version of the library
        setattr(owner, name, _wrapped(original, act))


def everywhere(chosen: dict[str, Around], packages: tuple[str, ...]) -> None:
    """Puts something around functions wherever the modules of some packages hold them by their own name.

    Args:
        chosen: name of a function → what to call in its place, as for `around`.
        packages: the packages whose modules are changed, such as `keras`.
    """
    made: dict[int, tuple[Any, Any]] = {}
    inside = tuple(f"{one}." for one in packages)
    for name, module in list(sys.modules.items()):
        if module is None or not (name in packages or name.startswith(inside)):
            continue
        for key, act in chosen.items():
            held = vars(module).get(key)
            if inspect.isfunction(held) and not hasattr(held, "_plateau"):
                _, wrapped = made.setdefault(id(held), (held, _wrapped(held, act)))
                wrapped._plateau = True
                setattr(module, key, wrapped)


def _wrapped(original: Any, act: Around) -> Any:
    @functools.wraps(original)
    def instead(*arguments: Any, **named: Any) -> Any:
        return act(original, *arguments, **named)

    with contextlib.suppress(TypeError, ValueError):
        instead.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
    return instead


def bound(original: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a call by name, those that were given."""
    given = inspect.signature(original).bind(*arguments, **named).arguments
    own = [name for name, kind in inspect.signature(original).parameters.items()
           if kind.kind is inspect.Parameter.VAR_KEYWORD]  # fmt: skip
    return {**{key: value for key, value in given.items() if key not in own},
            **{key: value for name in own for key, value in given.get(name, {}).items()}}  # fmt: skip
