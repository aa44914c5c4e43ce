"""The user's script, run as `python train.py …` or `python -m package.train …` runs it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from types import CodeType, ModuleType
from typing import Any

from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.errors import from_user


def run(target: str, is_module: bool, arguments: list[str], hooks: Hooks) -> None:
    """Runs a script file or a module to its end as `__main__`.

    Args:
        target: the script as it was given, or the module's dotted name.
        is_module: whether `target` is such a name (`python -m`).
        arguments: the script's own command line.
        hooks: stays silent while the program is looked up.

    Raises:
        BaseException: whatever the script raises.
    """
    is_safe = getattr(sys.flags, "safe_path", False)
    if not is_safe:
        folder = os.getcwd() if is_module else os.path.dirname(os.path.realpath(target))
        sys.path.insert(0, folder)
    sys.argv = ["-m" if is_module else target, *arguments]
    code, module = _module(target) if is_module else _file(target)
    sys.argv[0] = str(module.__file__) if is_module else target
    sys.modules["__main__"] = module
    hooks.paused = False
    exec(code, module.__dict__)


def told(job: dict[str, Any], hooks: Hooks) -> BaseException | None:
    """Returns what the script of a job raised, after telling it as Python would; None where it ended well."""
    try:
        run(job["target"], job["is_module"], job["arguments"], hooks)
    except SystemExit as error:
        return error if error.code not in (None, 0) else None
    except BaseException as error:
        trimmed = error.with_traceback(from_user(error.__traceback__))
        sys.excepthook(type(error), trimmed, trimmed.__traceback__)
        return error
    return None


def _file(given: str) -> tuple[CodeType, ModuleType]:
    path = os.path.abspath(given)
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    module = ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    module.__dict__.update(__file__=path, __loader__=loader, __spec__=None, __cached__=None)
    return code, _with_builtins(module)


def _module(name: str) -> tuple[CodeType, ModuleType]:
    found = importlib.util.find_spec(name)
    if found is not None and found.submodule_search_locations is not None:
        found = importlib.util.find_spec(f"{name}.__main__")
    if found is None or found.loader is None or not hasattr(found.loader, "get_code"):
        raise ImportError(f"no module named {name}", name=name)
    module = ModuleType("__main__")
    about = {"__file__": found.origin, "__loader__": found.loader, "__spec__": found}
    module.__dict__.update(about, __package__=found.parent, __cached__=found.cached)
    return found.loader.get_code(found.name), _with_builtins(module)


def _with_builtins(module: ModuleType) -> ModuleType:
    module.__dict__["__builtins__"] = __builtins__
    return module
