"""The file that the user's interpreter runs: `python start.py JOB.json [keras]`.

`plateau_cause` is made importable without putting a folder on sys.path, where it would hide modules of the
script or bring the packages of another environment along.
"""

import importlib.util
import sys
from pathlib import Path


def make_importable(name: str, folder: Path) -> None:
    """Imports the package `name` from `folder`; its submodules are found there too."""
    specification = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)


if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        sys.path.pop(0)  # the folder of this file, which Python has put there
    make_importable("plateau_cause", Path(__file__).resolve().parents[2])
    if sys.argv[2:] == ["keras"]:
        from plateau_cause.capture.keras_child import main
    else:
        from plateau_cause.capture.child import main  # type: ignore[no-redef]

    main.run(Path(sys.argv[1]))
