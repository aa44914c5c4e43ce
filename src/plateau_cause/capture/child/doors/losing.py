"""The doors of the loss: which function, on what; and where a softmax, sigmoid or ReLU stood before it."""

from __future__ import annotations

import inspect
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.describe.facts import are_shares
from plateau_cause.capture.child.doors.calling import Calling
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.places import Place, Registry, here

LOSSES = (
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss",
    "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "multi_margin_loss", "soft_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "hinge_embedding_loss",
    "cosine_embedding_loss", "triplet_margin_loss", "gaussian_nll_loss", "poisson_nll_loss",
)  # fmt: skip
ACTIVATIONS = ("softmax", "log_softmax", "sigmoid", "relu")
MODULES = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid", "ReLU": "relu"}
OPTIONS = ("weight", "pos_weight", "label_smoothing", "ignore_index", "reduction", "beta", "delta")
MIDDLES = {"binary_cross_entropy": 0.5, "binary_cross_entropy_with_logits": 0.0}
# What a loss function is together with the activation that its module applies itself
FUSED = {"nll_loss": "cross_entropy", "kl_div": "cross_entropy",
         "binary_cross_entropy": "binary_cross_entropy_with_logits"}  # fmt: skip
KEPT = 16  # activations to remember: the one before the loss is among the last


@dataclass
class Loss:
    """One call of a loss function of torch."""

    function: str
    place: Place | None
    output: Any  # what it was given
    target: Any
    options: dict[str, Any]
    module: Any = None  # such as nn.CrossEntropyLoss
    is_inside: bool = False  # within the model's forward
    value: float | None = None  # the mean of what it returned
    node: Any = None  # where it stands in autograd's graph; False: in none, None: not known


@dataclass
class Activation:
    """One call of a softmax or the like."""

    function: str
    place: Place | None
    given: Any  # what it was given, without its graph; while it is kept nothing else has its address
    result: Any  # what it returned, the same way
    within: Any = None  # the module that ran then, called from outside every other


@dataclass
class Losing:
    """Listens to `torch.nn.functional`, `torch` and `Tensor`."""

    hooks: Hooks
    calling: Calling
    places: Registry[Place]
    recent: list[Loss] = field(default_factory=list)  # since the last backward call that was looked at
    middle: float | None = None  # where a single output is undecided, as the last loss of such has it
    dropped: list[tuple[Place | None, float]] = field(default_factory=list)
    activations: deque[Activation] = field(default_factory=lambda: deque(maxlen=KEPT))

    def install(self, torch: ModuleType) -> None:
        """Puts the listeners in; `torch` has just been imported."""
        for name in LOSSES:
            self._follow_loss(torch.nn.functional, name)
        for name in ACTIVATIONS:
            for owner in (torch.nn.functional, torch, torch.Tensor):
                self._follow_activation(owner, name)
        for kind, name in MODULES.items():
            self._follow_module(getattr(torch.nn, kind), name)
        self._follow_dropout(torch.nn.functional)
        self.hooks.without(torch.jit, "script")

    def install_middles(self, torch: ModuleType) -> None:
        """Listens only to the losses that say where a single output is undecided."""
        for name in MIDDLES:
            self.hooks.before(torch.nn.functional, name, partial(self._decide, name))

    def activation_before(self, given: Any) -> Activation | None:
        """Returns the activation whose result went into a loss as it was, or reshaped."""
        same = (one for one in reversed(self.activations) if _is_same(one.result, given))
        return next(same, None)

    def softmax_of(self, outputs: Any) -> Activation | None:
        """Returns the log-softmax of a model's outputs, activated or not: a cross-entropy by hand has one."""
        for one in reversed(self.activations):
            inner = self.activation_before(one.given)
            sources = [one.given, *([inner.given] if inner else [])]
            if one.function == "log_softmax" and any(_is_same(source, outputs) for source in sources):
                return one
        return None

    def of_framework(self, function: str, output: Any, target: Any, value: Any, **options: Any) -> None:
        """Notes a loss that a framework computes itself, as if torch's function had been called."""
        told = dict.fromkeys(OPTIONS) | options
        self.recent.append(Loss(function, here(), output, target, told, value=float(value.detach().mean())))

    def _decide(self, name: str, *_: Any, **__: Any) -> None:
        self.middle = MIDDLES[name]

    def _follow_loss(self, functional: ModuleType, name: str) -> None:
        signature = inspect.signature(getattr(functional, name))

        def called(result: Any, *arguments: Any, **named: Any) -> None:
            if not getattr(arguments[0] if arguments else named["input"], "requires_grad", False):
                return
            given = signature.bind(*arguments, **named)
            given.apply_defaults()
            values = list(given.arguments.values())
            options = {key: given.arguments[key] for key in OPTIONS if key in given.arguments}
            outermost, inside = self.calling.outermost, False
            if outermost is not None and next(outermost.parameters(), None) is not None:
                outermost, inside = None, True
            mean = float(result.detach().float().mean())
            loss = Loss(
                name, here(), values[0], values[1], options, outermost, inside, mean, result.grad_fn or False
            )
            if self.recent and _is_again(self.recent[-1], loss):
                self.recent.pop()
            self.recent.append(loss)
            self.middle = MIDDLES.get(name, self.middle)

        self.hooks.after(functional, name, called)

    def _follow_activation(self, owner: Any, name: str) -> None:
        def called(result: Any, *arguments: Any, **named: Any) -> None:
            self._keep(name, here(), arguments[0] if arguments else named["input"], result)

        self.hooks.after(owner, name, called)

    def _keep(self, name: str, place: Place | None, given: Any, result: Any) -> None:
        if result.ndim <= 2:
            kept = Activation(name, place, given.detach(), result.detach(), self.calling.outermost)
            self.activations.append(kept)

    def _follow_module(self, kind: Any, name: str) -> None:
        def called(result: Any, module: Any, given: Any, *_: Any) -> None:
            self._keep(name, self.places.of(module) or here(), given, result)

        self.hooks.after(kind, "forward", called)

    def _follow_dropout(self, functional: ModuleType) -> None:
        def called(_: Any, given: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> None:
            outermost = self.calling.outermost
            if training and p and outermost is not None and not outermost.training and not self.dropped:
                self.dropped.append((here(), float(p)))

        self.hooks.after(functional, "dropout", called)


def form(output: Any, before: str | None, function: str | None = None) -> str:
    """Returns what the rows are: logits, probabilities, log-probabilities or "never negative".

    Args:
        output: (N,) or (N, C). A single output tells nothing by itself: some logits lie in 0..1.
        before: the activation that gave it.
        function: the loss that takes it.
    """
    import torch

    rows = output.detach().float()
    near = 1e-3 if output.dtype in (torch.float32, torch.float64) else 2e-2
    if rows.ndim < 2 or rows.shape[1] == 1:
        is_probability = before in ("sigmoid", "softmax") or function == "binary_cross_entropy"
        return "probabilities" if is_probability else "logits"
    if bool((rows >= 0).all()):
        sums_to_one = bool(((rows.sum(1) - 1).abs() < near).all())
        return "probabilities" if sums_to_one or before == "sigmoid" else "never negative"
    is_log = bool((rows.logsumexp(1).abs() < near).all())
    return "log-probabilities" if is_log else "logits"


def kind_of(target: Any) -> str:
    """Returns what a loss compares with: classes, shares of classes, several labels at a time, or numbers."""
    if not target.is_floating_point():
        return "classes"
    values, rows = target.detach().float(), target.ndim == 2 and target.shape[1] > 1
    if rows and are_shares(target):
        return "shares"
    is_between = bool(((values >= 0) & (values <= 1)).all())
    return "numbers" if not is_between else "several labels" if rows else "classes"


def _is_again(inner: Loss, outer: Loss) -> bool:
    """Returns whether two records are of one call, which subclasses of tensors make twice."""
    parts = ((inner.output, outer.output), (inner.target, outer.target))
    return inner.function == outer.function and all(_is_same(*pair) for pair in parts)


def _is_same(first: Any, second: Any) -> bool:
    return bool(first.data_ptr() == second.data_ptr() and first.numel() == second.numel())
