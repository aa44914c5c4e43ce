"""A YAML mapping into nested frozen dataclasses, with one clear line for whatever does not fit."""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import re
import types
import typing
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from plateau_cause.config.options import Rule, rule_of
from plateau_cause.errors import MistakesError, printable, shown

T = TypeVar("T")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")  # YAML 1.1 reads 1e-3 as text
MOST_NAME = 100  # letters of what can still be a slip of the pen
MOST_NEIGHBOURS = 1000  # names of a folder that are compared
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


class SchemaError(MistakesError):
    """What does not fit, one clear line each."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__(mistakes)


class Key(NamedTuple):
    """One leaf of the schema."""

    name: str  # dotted
    default: Any
    allowed: str
    help: str


def build(cls: type[T], values: dict[Any, Any]) -> T:
    """Returns an instance of a dataclass; keys that are missing take their defaults.

    Raises:
        SchemaError: keys are unknown or their values not allowed; one line for each.
    """
    built, mistakes = read(cls, values)
    if mistakes:
        raise SchemaError(*mistakes.values())
    return built


def read(
    cls: type[T], values: dict[Any, Any], prefix: str = "", root: type | None = None
) -> tuple[T, dict[str, str]]:
    """Returns an instance of a dataclass, and key -> what is wrong with it; such a key takes its default.

    Args:
        cls: the dataclass; every field has a default.
        values: what was given.
        prefix: dotted name of this section with a trailing dot, "" at the top.
        root: the outermost dataclass, searched for the nearest name of an unknown key.
    """
    root = root or cls
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    built: dict[str, Any] = {}
    mistakes: dict[str, str] = {}
    for name, value in values.items():
        key = prefix + _as_text(name)
        nested = _section(hints[name]) if name in fields else None
        try:
            if name not in fields:
                raise SchemaError(_unknown(name, list(fields), prefix, root))
            if nested and isinstance(value, dict):
                built[name], inner = read(nested, value, f"{key}.", root)
                mistakes |= inner
            else:
                built[name] = _convert(value, hints[name], rule_of(fields[name]), key)
        except SchemaError as error:
            mistakes[key] = str(error)
    return cls(**built), mistakes


def _as_text(name: Any) -> str:
    return name if isinstance(name, str) and name.isprintable() and len(name) <= MOST_NAME else shown(name)


def _section(hint: Any) -> Any:
    """Returns the dataclass among the types of a key, None where it is no section."""
    return next((member for member in _members(hint) if dataclasses.is_dataclass(member)), None)


def _unknown(name: Any, allowed: list[str], prefix: str, root: type) -> str:
    text = _as_text(name)
    hint = suggestion(text, allowed)
    if not hint:
        elsewhere = {key.name.rpartition(".")[2]: key.name for key in reversed(list(leaves(root)))}
        close = difflib.get_close_matches(text.lower(), elsewhere, n=1, cutoff=0.75)
        hint = f"; did you mean {elsewhere[close[0]]}?" if close else ";"
    return f"{prefix}{text}: unknown key{hint} allowed: {', '.join(allowed)}"


def _convert(value: Any, hint: Any, rule: Rule, key: str) -> Any:
    """Returns `value` as the type that `hint` declares, checked against the key's rule."""
    members = _members(hint)
    nested = _section(hint)
    if value is None and (nested or types.NoneType in members):
        return None if types.NoneType in members else nested()  # an empty section: its defaults
    for member in members:
        converted = _as_member(value, member, rule)
        if converted is not None:
            return converted
    hint_text = suggestion(value, rule.words()) if isinstance(value, str) else _hint_in(value, rule.choices)
    raise SchemaError(f"{key}: got {shown(value)}{hint_text or ';'} allowed: {allowed_text(hint, rule)}")


def _members(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _as_member(value: Any, member: Any, rule: Rule) -> Any:
    """Returns the value as this one type, or None where it does not fit (None itself never gets here)."""
    if typing.get_origin(member) is tuple:
        return _as_tuple(value, typing.get_args(member), rule)
    if member is bool:
        return value if isinstance(value, bool) else None
    if member is str:
        return value if _is_allowed_text(value, rule) else None
    if member is float and isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    if member in (int, float) and _is_number(value, member) and rule.admits(value):
        return member(value)
    return None


def _is_allowed_text(value: Any, rule: Rule) -> bool:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return False
    return rule.admits_word(value)


def _is_number(value: Any, member: type) -> bool:
    kinds = (int, float) if member is float else (int,)
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number too large for a float
        return False


def _as_tuple(value: Any, args: tuple[Any, ...], rule: Rule) -> tuple[Any, ...] | None:
    """Returns a list as a tuple: of fixed length, or (`tuple[x, ...]`) non-empty and without repeats."""
    if rule.is_line and isinstance(value, list):
        return _as_line(value)
    if not isinstance(value, list) or not value:
        return None
    is_open = len(args) == 2 and args[1] is Ellipsis
    if not is_open and len(value) != len(args):
        return None
    entry_rule = dataclasses.replace(rule, choices=tuple(word for word in rule.choices if word != "all"))
    entries = tuple(None if item is None else _as_member(item, args[0], entry_rule) for item in value)
    if None in entries or (is_open and len(set(entries)) < len(entries)):
        return None
    return entries


def _as_line(words: list[Any]) -> tuple[str, ...] | None:
    """Returns the words of a command line; numbers among them become text as they are written."""
    is_plain = all(isinstance(word, (str, int, float)) and not isinstance(word, bool) for word in words)
    return tuple(str(word) for word in words) if is_plain else None


def allowed_text(hint: Any, rule: Rule) -> str:
    """Returns in words what a key of this type and rule allows."""
    return ", or ".join(_member_text(member, rule) for member in _members(hint))


def _member_text(member: Any, rule: Rule) -> str:
    if member is types.NoneType:
        return "null"
    if dataclasses.is_dataclass(member):
        return f"a section with keys {', '.join(field.name for field in dataclasses.fields(member))}"
    if rule.is_line:
        return "a list of words"
    if typing.get_origin(member) is tuple:
        args = typing.get_args(member)
        count = "a non-empty list without repeats of" if args[1] is Ellipsis else f"a list of {len(args)}:"
        entries = "these names" if args[0] is str else _member_text(args[0], rule)
        return f"{count} {entries}"
    if member is str and rule.choices:
        return ", ".join(rule.words())
    limits = rule.range_text() if member in (int, float) else ""
    return f"{KINDS[member]} {limits}".strip()


def suggestion(given: str, allowed: Iterable[str]) -> str:
    """Returns "; did you mean x?" for the nearest allowed name, "" where none is near."""
    if len(given) > MOST_NAME:
        return ""
    close = difflib.get_close_matches(given.lower().replace("-", "_"), list(allowed), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _hint_in(value: Any, allowed: tuple[str, ...]) -> str:
    """Returns the suggestion for the first wrong word of a list, "" where there is none."""
    words = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    wrong = [word for word in words if word not in allowed] if allowed else []
    return suggestion(wrong[0], allowed) if wrong else ""


def nearest_path(path: Path, folders: bool = False) -> str:
    """Returns "; did you mean x?" for the nearest name in the same folder, "" where none is near."""
    if len(path.name) > MOST_NAME or not os.path.isdir(path.parent):
        return ""
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in islice(entries, MOST_NEIGHBOURS) if entry.is_dir() or not folders]
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"; did you mean {printable(close[0])}?" if close else ""


def leaves(cls: type, prefix: str = "") -> Iterator[Key]:
    """Yields every leaf of a dataclass schema in the order it is declared."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from leaves(hints[field.name], f"{prefix}{field.name}.")
            continue
        rule = rule_of(field)
        yield Key(prefix + field.name, field.default, allowed_text(hints[field.name], rule), rule.help)


def markdown(cls: type) -> str:
    """Returns a Markdown table of every key: default, what is allowed, meaning."""
    rows = [f"| `{key.name}` | `{shown(key.default)}` | {key.allowed} | {key.help} |" for key in leaves(cls)]
    return "\n".join(["| key | default | allowed | meaning |", "|---|---|---|---|", *rows])
