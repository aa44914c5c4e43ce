"""The transforms of a data set: where they stand, what they are made of, what changes at random."""

from __future__ import annotations

from types import CellType, CodeType
from typing import Any

from plateau_cause.capture.child.describe.cleaning import changed
from plateau_cause.capture.child.describe.facts import plain
from plateau_cause.capture.child.describe.names import assigned_at
from plateau_cause.capture.child.places import Place, Registry, is_users

INNER = ("dataset", "datasets", "data_set", "ds", "subset", "base")
HELD = ("transform", "transforms", "tf", "preprocess", "augment")


def chain(data_set: Any) -> list[Any]:
    """Returns a data set and those within it: subsets, concatenations, wrappers."""
    found = [data_set]
    for name in INNER:
        inner = getattr(data_set, name, None)
        parts = inner if isinstance(inner, (list, tuple)) else [inner]
        found += [part for one in parts if hasattr(one, "__getitem__") and hasattr(one, "__len__")
                  and not isinstance(one, (str, dict, list, tuple)) for part in chain(one)]  # fmt: skip
    return found


def transforms_of(data_set: Any, places: Registry[Place]) -> dict[str, Any] | None:
    """Returns the transform that a data set or one within it holds: steps as text, and where it was made."""
    transform = held_transform(data_set)
    if transform is None:
        return None
    written = unfolded(transform)
    place = places.of(written) or places.of(transform) or assigned_at(written) or _defined_at(written)
    return {"steps": steps(written), "place": place, "function": _defined_at(transform)}


def _defined_at(function: Any) -> Place | None:
    """Returns the line at which a function of the user's begins."""
    code = getattr(function, "__code__", None)
    if code is None or not is_users(code.co_filename):
        return None
    return Place(code.co_filename, code.co_firstlineno)


def held_transform(data_set: Any) -> Any:
    """Returns the transform that a data set or one within it holds; None where it holds none."""
    for one in chain(data_set):
        for name in HELD:
            transform = getattr(one, name, None)
            if callable(transform):
                return transform
        told = getattr(one, "format", None)  # of a data set of Hugging Face, by set_transform()
        transform = (told.get("format_kwargs") or {}).get("transform") if isinstance(told, dict) else None
        if callable(transform):
            return transform
    return None


def unfolded(transform: Any) -> Any:
    """Returns the one pipeline of torchvision that a function or object of the user's calls; else itself."""
    function = getattr(transform, "__func__", transform)
    code = getattr(function, "__code__", None)
    if code is None:
        held = list(vars(transform).values()) if hasattr(transform, "__dict__") else []
    else:
        cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        held = [*cells, *(function.__globals__.get(name) for name in _used(code))]
    is_plain = not type(transform).__module__.startswith(("torchvision", "timm", "torch.nn"))
    found = [one for one in held if is_plain and type(one).__module__.startswith("torchvision")
             and isinstance(getattr(one, "transforms", None), (list, tuple))]  # fmt: skip
    return found[0] if len(found) == 1 else transform


def _used(code: CodeType) -> list[str]:
    """Returns the global names that a function uses, those of its comprehensions too."""
    inner = [name for one in code.co_consts if isinstance(one, CodeType) for name in _used(one)]
    return list(dict.fromkeys([*code.co_names, *inner]))


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that has no value yet
        return False


def steps(transform: Any) -> list[str]:
    """Returns the steps of a transform, one text each."""
    inner = getattr(transform, "transforms", None)
    if isinstance(inner, (list, tuple)):
        return [step for one in inner for step in steps(one)]
    nested = getattr(transform, "transform", None)
    if type(transform).__name__ == "StandardTransform" and callable(nested):
        return steps(nested)
    is_plain = type(transform).__module__.startswith(("torchvision", "torch.nn"))
    return [" ".join(repr(transform).split()) if is_plain else str(plain(transform))]


def at_random(data_set: Any) -> list[str]:
    """Returns the steps of a data set's transforms that change images at random and can be left out."""
    exchanged = [(steps(own), steps(cleaned)) for _, _, own, cleaned in changed(data_set)]
    return list(dict.fromkeys(step for own, kept in exchanged for step in own if step not in kept))
