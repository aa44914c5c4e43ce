"""A YAML file into plain values: safe, never slow, and one clear line for what cannot be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from plateau_cause.config.schema import SchemaError
from plateau_cause.errors import shown

MOST_BYTES = 2**17  # of the file; params.yaml has some thousands
MOST_VALUES = 10_000  # once every alias stands for what it names
NO_TABS = "; indent with spaces, not tabs"


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice (plain YAML silently keeps the last)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        given: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"):
            if key.value in given:
                line = key.start_mark.line + 1
                raise SchemaError(f"{shown(key.value)[1:-1]}: given twice (second time in line {line})")
            given.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[Any, Any]:
    """Returns the file's top-level mapping.

    Raises:
        SchemaError: no such file, not text, too large, not YAML, empty, a key twice, or not a mapping.
    """
    name = shown(str(path))[1:-1]
    try:
        content = _parsed(_text(path))
    except SchemaError as error:
        raise SchemaError(f"{name}: {error}") from None
    except OSError as error:
        raise SchemaError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SchemaError(f"{name}: not UTF-8 text") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SchemaError(f"{name}: not valid YAML: {_one_line(error)}") from None
    if content is None:
        raise SchemaError(
            f"{name}: empty; allowed: a mapping of sections ({{}}: every key takes its default)"
        )
    if not isinstance(content, dict):
        raise SchemaError(f"{name}: got {shown(content)} at top level; allowed: a mapping of sections")
    return content


def _text(path: Path) -> str:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise SchemaError("not a regular file")  # a pipe would be waited for
    if found.st_size > MOST_BYTES:
        raise SchemaError(f"larger than {MOST_BYTES // 2**10:,} KiB, which is no params.yaml")
    return path.read_text(encoding="utf-8-sig")


def _parsed(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_VALUES:
            raise SchemaError(f"more than {MOST_VALUES:,} values, once every alias stands for what it names")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Returns how many values a node holds with its aliases written out; each node is visited once."""
    if id(node) not in known:
        known[id(node)] = 1  # also of one that holds itself
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        inner = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] += sum(_size(each, known) for each in inner)
    return known[id(node)]


def _one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    return " ".join(problem.split()) + where + (NO_TABS if "'\\t'" in problem else "")
