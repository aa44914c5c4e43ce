"""The user's own training file (`recipe.code`): loaded once, only where it is needed, never changed."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause import imports
from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.training.keras_model import prepare
from plateau_cause.training.user_source import Source, read_source, unused

MODULE = "plateau_user_recipe"  # name under which the file is imported
ARGUMENTS = {
    "transform": "image, train", "build_model": "num_classes", "loss": "output, target",
    "optimizer": "model", "on_train_start": "model",
}  # fmt: skip
AS_LOADED = "__plateau_as_loaded__"  # where the file's module keeps its variables as they were
PLAIN = (bool, int, float, str, type(None))  # variables that are compared before and after a training
NEAR = 0.75  # likeness of a name to the one that was meant
HINTS = {
    "tensorflow": "; Keras runs on torch here: write `import keras` for `tensorflow.keras`",
    "keras": "; pip install keras",
}


@dataclass(frozen=True)
class UserCode:
    """The functions that the file defines; None where it leaves the declared entry alone.

    Attributes:
        digest: of the file's bytes; "" without a file.
        unused: names that the file gives a value and plateau does not use, with their lines.
    """

    transform: Callable[..., Any] | None = None
    build_model: Callable[..., Any] | None = None
    loss: Callable[..., Any] | None = None
    optimizer: Callable[..., Any] | None = None
    on_train_start: Callable[..., Any] | None = None
    digest: str = ""
    unused: tuple[str, ...] = ()

    @property
    def defined(self) -> tuple[str, ...]:
        """Names of the functions that the file defines, in the contract's order."""
        return tuple(name for name in ARGUMENTS if getattr(self, name) is not None)


def load_user_code(path: str | Path | None) -> UserCode:
    """Returns the functions of the user's file, or an empty UserCode for None.

    The text is read before it is run: a script would train, or find our command line in place of its own.

    Raises:
        PlateauError: the file cannot be read or run, is a script, defines no such function, or functions of
            it take wrong arguments: one line each.
    """
    if path is None:
        return UserCode()
    file = Path(path)
    source = read_source(file)
    if source.script:
        raise PlateauError(f"recipe.code: {file} {source.script}, so it was not run; {_as_script(file)}")
    digest, module = _digest(file), _import(file)
    found = {name: getattr(module, name) for name in ARGUMENTS if callable(getattr(module, name, None))}
    if not found:
        raise PlateauError(
            f"recipe.code: {file} defines none of {', '.join(ARGUMENTS)}"
            f"{_other_kinds(module) or _nearly(source)}{f'; {_as_script(file)}' if source.trains else ''}"
        )
    if wrong := [line for name in found if (line := _wrong_arguments(file, name, found[name]))]:
        raise MistakesError(wrong)
    return UserCode(**found, digest=digest, unused=_unused(source, tuple(found)))


def _digest(file: Path) -> str:
    """Returns a digest of the file and of what it imports from beside it."""
    folder = file.absolute().parent
    return imports.digest(imports.closure([file], folder), folder)


def _as_script(file: Path) -> str:
    return f"recipe.script: {file} takes a training script as it is"


def _other_kinds(module: Any) -> str:
    """Returns what stands under our names and is no function, such as an optimizer that is built already."""
    kinds = [f"{n} is {type(getattr(module, n)).__name__}" for n in ARGUMENTS if hasattr(module, n)]
    return f" as a function ({', '.join(kinds)})" if kinds else ""


def _unused(source: Source, used: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name} (line {source.defined[name]}{_meant(name, used)})" for name in unused(source, used))


def _meant(name: str, used: tuple[str, ...] = ()) -> str:
    """Returns ": did you mean transform?" for a name that is nearly one of those that are called."""
    others = [one for one in ARGUMENTS if one not in (*used, name)]
    close = difflib.get_close_matches(name.lower().removeprefix("get_"), others, n=1, cutoff=NEAR)
    return f": did you mean {close[0]}?" if close else ""


def _nearly(source: Source) -> str:
    """Returns the names that a file has in place of ours, where they are nearly the same."""
    near = [f"{name} (line {line}{said})" for name, line in source.defined.items() if (said := _meant(name))]
    return f"; it has {', '.join(near)}" if near else ""


def renewed(code: UserCode) -> UserCode:
    """Returns the functions as a new process finds them: loaded again where they changed their file.

    Whoever counts epochs in on_train_start() counts each training from the start.
    """
    spaces = (getattr(getattr(code, name), "__globals__", {}) for name in code.defined)
    own: dict[str, Any] = next((space for space in spaces if space.get("__name__") == MODULE), {})
    return code if own.get(AS_LOADED) == _variables(own) else load_user_code(own["__file__"])


def plain_state(function: Callable[..., Any]) -> dict[str, Any] | None:
    """Returns the plain variables of the file that has the function, and of the object that it is."""
    found = inspect.unwrap(function)
    return _variables({**getattr(found, "__globals__", {}), **getattr(found, "__dict__", {})})


def _variables(space: dict[str, Any]) -> dict[str, Any] | None:
    """Returns a file's variables that hold plain values, and the lengths of its lists and the like."""
    named = {key: value for key, value in space.items() if not key.startswith("__")}
    plain = {key: value for key, value in named.items() if isinstance(value, PLAIN)}
    sizes = {key: len(value) for key, value in named.items() if type(value) in (list, dict, set)}
    return (plain | sizes) or None


def call(function: Callable[..., Any], *arguments: Any, name: str | None = None) -> Any:
    """Calls one of the user's functions; what it raises becomes one clear line.

    Raises:
        PlateauError: the function raised; the line names it (as `name`, where given), the error and the
            user's line number.
    """
    try:
        return function(*arguments)
    except PlateauError:
        raise
    except (Exception, SystemExit) as error:
        raise PlateauError(f"recipe.code: {name or _name(function)} {explain(error)}") from error


def place(role: str, function: Callable[..., Any] | None) -> str:
    """Returns the function's role and where the user's file has it: "transform() at line 12"."""
    found = inspect.unwrap(function) if callable(function) else None
    if not hasattr(found, "__code__"):  # an object that can be called, such as a Compose
        found = vars(type(found)).get("__call__")
    is_theirs = getattr(found, "__module__", None) == MODULE
    code = getattr(found, "__code__", None)
    return f"{role}() at line {code.co_firstlineno}" if is_theirs and code else f"{role}()"


def explain(error: BaseException) -> str:
    """Returns what was raised, the line of the user's file that it went through, and what it said."""
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == MODULE:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        line = error.lineno
    where = f" at line {line}" if line else ""
    missing = (getattr(error, "name", None) or "").partition(".")[0] if isinstance(error, ImportError) else ""
    return f"raised {type(error).__name__}{where}: {' '.join(str(error).split())}{HINTS.get(missing, '')}"


def travel_with_models() -> None:
    """Has models be pickled with the user's functions and classes: elsewhere there is no such file."""
    import cloudpickle

    module = sys.modules.get(MODULE)
    if module is not None:
        cloudpickle.register_pickle_by_value(module)


def _import(source: Path) -> Any:
    specification = importlib.util.spec_from_file_location(MODULE, source)
    if specification is None or specification.loader is None:
        raise PlateauError(f"recipe.code: {source} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses and pickles inside the file look it up there
    sys.path.insert(0, str(source.parent.resolve()))
    prepare()
    before = os.getcwd()
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise PlateauError(f"recipe.code: {source} {explain(error)}") from error
    finally:
        sys.path.pop(0)
        os.chdir(before)  # what is relative here stays so, wherever the file went
    setattr(module, AS_LOADED, _variables(vars(module)))
    return module


def _name(function: Any) -> str:
    return f"{getattr(function, '__name__', type(function).__name__)}()"  # a module has no name of its own


def _wrong_arguments(source: Path, name: str, function: Callable[..., Any]) -> str:
    """Returns a line where the function cannot be called as it will be, "" where it can."""
    try:
        signature = inspect.signature(function)
        signature.bind(*ARGUMENTS[name].split(", "))
    except TypeError:
        code = getattr(function, "__code__", None)
        where = f"{source}:{code.co_firstlineno}" if code else str(source)
        return f"recipe.code: {where}: {name}{signature}; it is called as {name}({ARGUMENTS[name]})"
    except ValueError:  # one written in C: calling it will show
        return ""
    return ""
