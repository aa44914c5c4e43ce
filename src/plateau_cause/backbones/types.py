"""What a loaded backbone is: its stages, what its weights expect, how they were loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from plateau_cause.images.expectation import Expectation

SHOWN = 3  # names of entries in a line of words


@dataclass(frozen=True)
class Architecture:
    """A model and the library that builds it.

    Attributes:
        library: torchvision | timm | transformers | torch_hub.
        name: the library's name of the model (timm: or local-dir:folder); the folder of transformers; the
            repository or folder of PyTorch Hub.
        entry: the entry point in hubconf.py.
        repository: where on the Hugging Face hub the folder came from: owner/name, or owner/name@revision.
    """

    library: str
    name: str
    entry: str = ""
    repository: str = ""


@dataclass(frozen=True)
class LoadReport:
    """How a set of weights fitted a model; names are the model's own, of `unexpected` the weights'.

    Attributes:
        missing: entries of the model that the weights lack.
        unexpected: entries of the weights that the model lacks.
        mismatched: entries in both, of different shape; they were not loaded.
        loaded_frac: share of the body's numbers (everything but the classifier) that was loaded.
        prefix: what was stripped from the weights' names, such as "module."; "" if nothing.
        added: what was put before them, such as transformers' "vit."; "" if nothing.
        wrapper: the keys of the checkpoint that led to the weights, such as "state_dict" or "ema.module".
        matched_by: "name", or "order" where no name agreed and every shape did, entry by entry.
        head_loaded: whether the classifier's entries were loaded too.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    loaded_frac: float = 0.0
    prefix: str = ""
    added: str = ""
    wrapper: str = ""
    matched_by: str = "name"
    head_loaded: bool = False

    def describe(self) -> str:
        """Returns the account in one line of words."""
        if not self.loaded_frac:
            return "random weights: nothing was loaded"
        said = [f"{100 * self.loaded_frac:.4g} % of the body loaded"]
        said += [f"found under {self.wrapper}"] if self.wrapper else []
        said += [f"prefix {self.prefix!r} stripped"] if self.prefix else []
        said += [f"prefix {self.added!r} added"] if self.added else []
        said += ["matched by order and shape, as no name agreed"] if self.matched_by == "order" else []
        for word in ("missing", "unexpected", "mismatched"):
            names = getattr(self, word)
            more = ", ..." if len(names) > SHOWN else ""
            said += [f"{len(names)} {word} ({', '.join(names[:SHOWN])}{more})"] if names else []
        return "; ".join(said)


@dataclass
class Backbone:
    """A classification model without its classifier, cut into stages that run one after the other.

    Attributes:
        name: as given, such as "resnet18".
        stages: float images (B, 3, S, S) -> pooled features (B, feature_dim). The last stage holds the final
            block, the neck and the pooling. A model that cannot be cut has a single stage, "body".
        stage_names: "stem", "block1", ...
        feature_dim: number of features.
        expects: the input that the weights were trained on.
        pretrained_head: features -> outputs for the classes of pretraining; None where the weights have none.
        load_report: how the weights fitted.
        original_names: name of each state entry of `stages` -> its name in the library's own model.
    """

    name: str
    stages: nn.Sequential
    stage_names: tuple[str, ...]
    feature_dim: int
    expects: Expectation
    pretrained_head: nn.Module | None
    load_report: LoadReport
    original_names: dict[str, str] = field(default_factory=dict)
