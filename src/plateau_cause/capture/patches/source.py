"""A user's file as text and tree: what stands on a line, and edits of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

Edit = tuple[int, int, str]  # from, to (offsets into the text), what stands there afterwards


class Source:
    """A file's text and tree."""

    def __init__(self, text: str) -> None:
        self._text, self._tree = text, ast.parse(text)
        self._starts = [0]
        for line in text.splitlines(True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = text.splitlines()

    def at(self, line: int, kind: type[Any]) -> list[Any]:
        """Returns the nodes of a kind in the smallest statement that holds a line, outermost first."""
        statement = self._statement(line)
        if statement is None:
            return []
        if isinstance(statement, kind):
            return [statement]
        return [node for node in _without_bodies(statement) if isinstance(node, kind)]

    def inside(self, line: int) -> list[ast.Call]:
        """Returns the calls in the innermost `Compose(…)` that begins at a line, or in its statement."""
        calls: list[ast.Call] = self.at(line, ast.Call)
        composed = [node for node in calls if called(node) == "Compose" and node.lineno == line]
        within = ast.walk(composed[-1]) if composed else iter(calls)
        return [node for node in within if isinstance(node, ast.Call)]

    def text(self, node: ast.expr) -> str:
        """Returns a node as it is written."""
        start, end = self._span(node)
        return self._text[start:end]

    def replaced(self, node: ast.expr, new: str) -> Edit:
        """Returns the edit that writes something else in a node's place."""
        return (*self._span(node), new)

    def inserted(self, line: int, statement: str, behind: bool = False) -> Edit:
        """Returns the edit that puts a statement before a line or behind it, all its lines as indented."""
        indentation = self._lines[line - 1][: -len(self._lines[line - 1].lstrip())]
        start = self._starts[line if behind else line - 1]
        lines = statement.replace("\n", f"\n{indentation}")
        return start, start, f"{indentation}{lines}\n"

    def dropped(self, line: int) -> Edit:
        """Returns the edit that takes out the statement which begins at a line, its body included."""
        found = [node for node in ast.walk(self._tree) if isinstance(node, ast.stmt) and node.lineno == line]
        last = max((node.end_lineno or line for node in found), default=line)
        return self._starts[line - 1], self._starts[last], ""

    @property
    def whole(self) -> str:
        """Returns the text of the file."""
        return self._text

    def first_line(self, line: int) -> int:
        """Returns the line that the statement around a line begins at."""
        statement = self._statement(line)
        return line if statement is None else statement.lineno

    def behind_last(self, call: ast.Call, argument: str) -> Edit:
        """Returns the edit that adds an argument to a call."""
        end = self._span(call)[1]
        given = [*call.args, *(word.value for word in call.keywords)]
        if not given:
            return end - 1, end - 1, argument
        last = max(self._span(one)[1] for one in given)
        return last, last, f", {argument}"

    def without(self, call: ast.Call, word: ast.keyword) -> Edit:
        """Returns the edit that takes an argument out of a call."""
        arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        given = sorted(arguments, key=lambda one: (one.lineno, one.col_offset))
        place = given.index(word)
        start, end = self._span(word)
        if place + 1 < len(given):
            end = self._span(given[place + 1])[0]
        elif place:
            start = self._span(given[place - 1])[1]
        return start, end, ""

    def without_call(self, line: int, layer: ast.Call) -> list[Edit]:
        """Returns the edit that takes `layer` out of `x = layer(x)`; none where it is not called so."""
        one = self._statement(line)
        value = one.value if isinstance(one, ast.Assign) else None
        if not isinstance(one, ast.Assign) or not isinstance(value, ast.Call) or value.func is not layer:
            return []
        if len(one.targets) != 1 or len(value.args) != 1:
            return []
        if self.text(one.targets[0]) != self.text(value.args[0]):
            return [self.replaced(value, self.text(value.args[0]))]
        return [(self._starts[one.lineno - 1], self._starts[one.end_lineno or one.lineno], "")]

    def before_last(self, elements: list[ast.expr], new: str) -> Edit:
        """Returns the edit that adds an element before the last of a list, on a line of its own likewise."""
        last = elements[-1]
        start = self._span(last)[0]
        own_line = len(elements) > 1 and elements[-2].lineno != last.lineno
        return start, start, f"{new},\n{' ' * last.col_offset}" if own_line else f"{new}, "

    def behind(self, elements: list[ast.expr], new: str) -> Edit:
        """Returns the edit that adds an element to a list, on a line of its own where the others are."""
        last = elements[-1]
        end = self._span(last)[1]
        own_line = len(elements) > 1 and elements[-2].lineno != last.lineno
        return end, end, f",\n{' ' * last.col_offset}{new}" if own_line else f", {new}"

    def _span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column_bytes: int) -> int:
        before = self._lines[line - 1].encode()[:column_bytes].decode()
        return self._starts[line - 1] + len(before)

    def _statement(self, line: int) -> ast.stmt | None:
        statements = [node for node in ast.walk(self._tree) if isinstance(node, ast.stmt)]
        around = [node for node in statements if node.lineno <= line <= (node.end_lineno or node.lineno)]
        return min(reversed(around), key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)


def _without_bodies(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yields a statement's own nodes, not those of the statements within it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def called(call: ast.Call) -> str:
    """Returns the last name of what is called: `Compose` of `transforms.Compose(…)`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def method(call: ast.Call) -> str:
    """Returns the name of a method that is called; empty for a function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def calls_of(source: Source, name: str) -> list[ast.Call]:
    """Returns all calls of a function in a file, by its last name."""
    nodes = ast.walk(ast.parse(source.whole))
    return [node for node in nodes if isinstance(node, ast.Call) and called(node) == name]


def one_line(text: str) -> str:
    """Returns an expression on one line, written anew where it stands on several."""
    return ast.unparse(ast.parse(text.strip(), mode="eval")) if "\n" in text else text
