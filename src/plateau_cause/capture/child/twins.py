"""A network of the same layers as another: a copy, or one that was built a second time."""

from __future__ import annotations

from typing import Any

PART = 0.5  # of a module's tensors that a twin must have under the same names; heads differ
MATRICES = 2  # of these at least


def twin(loaded: Any, trained: Any, filled: set[int]) -> tuple[Any, dict[str, Any]] | None:
    """Returns the part of a module that stands for another, and the other's names → tensors of this part.

    Args:
        loaded: a module that is no part of the trained one.
        trained: the module that is trained.
        filled: identities of parameters that were loaded themselves: none of these is a twin's.

    Returns:
        None where no part of the trained module has its layers.
    """
    wanted = loaded.state_dict(keep_vars=True)
    for module in trained.modules():
        if type(module) is not type(loaded):
            continue
        own = module.state_dict(keep_vars=True)
        alike = {
            name: own[name] for name, one in wanted.items() if name in own and own[name].shape == one.shape
        }
        common = {name: one for name, one in alike.items() if id(one) not in filled}
        matrices = sum(one.ndim > 1 for one in common.values())
        if len(common) >= PART * len(wanted) and matrices >= MATRICES:
            return module, common
    return None
