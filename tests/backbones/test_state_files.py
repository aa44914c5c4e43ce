"""Checkpoints as training scripts leave them: wrapped, averaged, prefixed, beside options and numbers."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from plateau_cause.backbones import catalogue, load_backbone
from plateau_cause.backbones.libraries import build_timm
from plateau_cause.backbones.loading import match_names
from plateau_cause.backbones.state_files import read_state, unwrapped
from plateau_cause.backbones.types import LoadReport
from plateau_cause.errors import PlateauError

NAME = "timm:test_efficientnet"


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return build_timm("test_efficientnet", seed=7, pretrained=False).state_dict()


def other(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.zeros_like(tensor) for name, tensor in state.items()}


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def load(content: object, folder: Path, state: dict[str, torch.Tensor]) -> LoadReport:
    """Loads the file and checks that the state's body arrived."""
    torch.save(content, folder / "w.pth")
    backbone = load_backbone(NAME, str(folder / "w.pth"))
    own = backbone.stages.state_dict()
    assert all(torch.equal(own[key], state[name]) for key, name in backbone.original_names.items())
    assert backbone.load_report.loaded_frac == 1.0
    return backbone.load_report


@pytest.mark.parametrize("prefix", ["encoder.", "_orig_mod.", "model.backbone.", "student.net.encoder."])
def test_prefixes_are_stripped_and_said(state: dict[str, torch.Tensor], tmp_path: Path, prefix: str) -> None:
    report = load(prefixed(state, prefix), tmp_path, state)
    assert report.prefix == prefix
    assert report.describe() == f"100 % of the body loaded; prefix {prefix!r} stripped"


@pytest.mark.parametrize(
    ("wrap", "wrapper"),
    [
        (lambda s: {"model": other(s), "model_ema": s, "epoch": 3}, "model_ema"),
        (lambda s: {"ema": {"module": s, "decay": 0.999}, "state_dict": other(s)}, "ema.module"),
        (lambda s: {"state_dict": other(s), "state_dict_ema": s}, "state_dict_ema"),
        (lambda s: {"student": other(s), "teacher": prefixed(s, "backbone.")}, "teacher"),
        (lambda s: {"net": s, "acc": 91.2}, "net"),
        (lambda s: {"n_averaged": torch.tensor(3), **prefixed(s, "module.")}, ""),
    ],
)
def test_averaged_weights_come_first(
    state: dict[str, torch.Tensor], tmp_path: Path, wrap: object, wrapper: str
) -> None:
    report = load(wrap(state), tmp_path, state)  # type: ignore[operator]
    assert report.wrapper == wrapper
    assert (f"found under {wrapper}" in report.describe()) == bool(wrapper)


def test_options_and_numbers_beside_the_weights(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    options = argparse.Namespace(lr=0.1, milestones=[1, 2])
    beside = {"args": options, "best": np.float64(0.9), "epoch": np.int64(3), "done": np.bool_(True)}
    assert load({"model": state, **beside}, tmp_path, state).wrapper == "model"


def test_what_could_run_code_is_still_refused(tmp_path: Path) -> None:
    torch.save({"model": {"a": torch.zeros(1)}, "net": nn.Linear(1, 1)}, tmp_path / "w.pth")
    with pytest.raises(PlateauError, match="holds more than tensors and is not opened"):
        read_state(tmp_path / "w.pth")


def test_of_two_encoders_one_is_taken(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    both = {**prefixed(state, "encoder_q."), **prefixed(other(state), "encoder_k.")}
    report = load(both, tmp_path, state)
    assert report.prefix == "encoder_q."
    assert all(name.startswith("encoder_k.") for name in report.unexpected)


def test_a_head_beside_the_body(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    body = {f"backbone.{k}": v for k, v in state.items() if not k.startswith("classifier")}
    head = {k: v for k, v in state.items() if k.startswith("classifier")}
    report = load({**body, **head}, tmp_path, state)
    assert (report.prefix, report.head_loaded, report.unexpected) == ("backbone.", True, ())


def test_a_prefix_that_only_the_model_has() -> None:
    own = {"vit.a.weight": torch.zeros(1), "vit.b.weight": torch.zeros(1), "head.weight": torch.zeros(1)}
    state = {"net.a.weight": torch.zeros(1), "net.b.weight": torch.zeros(1)}
    names, prefix, added = match_names(own, state)
    assert names == {"vit.a.weight": "net.a.weight", "vit.b.weight": "net.b.weight"}
    assert (prefix, added) == ("net.", "vit.")


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, {"state_dict": {"a": 1}}, 3, None, {"net": 1}])
def test_without_tensors_there_is_nothing(content: object) -> None:
    assert unwrapped(content)[0] == {}


def test_describe_names_the_first_few() -> None:
    report = LoadReport(missing=tuple("abcd"), unexpected=("e",), loaded_frac=0.5, matched_by="order")
    assert report.describe() == (
        "50 % of the body loaded; matched by order and shape, as no name agreed; "
        "4 missing (a, b, c, ...); 1 unexpected (e)"
    )


def test_a_file_of_torchvisions_says_what_it_expects(tmp_path: Path) -> None:
    import torchvision

    entry = torchvision.models.MobileNet_V3_Small_Weights.IMAGENET1K_V1
    path = tmp_path / Path(entry.url).name
    torch.save(catalogue.build(catalogue.find("mobilenet_v3_small"), seed=0).state_dict(), path)
    source = "torchvision's transforms of MobileNet_V3_Small_Weights.IMAGENET1K_V1"
    assert load_backbone("mobilenet_v3_small", str(path)).expects.source == source


def _holding_itself(state: dict[str, object]) -> dict[str, object]:
    content: dict[str, object] = {"epoch": 3}
    content["state_dict"] = content
    return content


def _changed(state: dict[str, torch.Tensor], value: object) -> dict[str, object]:
    return {**state, "conv_stem.weight": value}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda s: _changed(s, s["conv_stem.weight"] * float("nan")), "numbers of conv_stem.weight are NaN"),
        (lambda s: _changed(s, s["conv_stem.weight"] / 0), "are NaN or infinite"),
        (lambda s: _changed(s, s["conv_stem.weight"].double() + 1e300), "are NaN or infinite"),
        (
            lambda s: {name: torch.zeros_like(tensor) for name, tensor in s.items()},
            "every number in it is zero",
        ),
        (lambda s: _changed(s, s["conv_stem.weight"].to_sparse()), "conv_stem.weight is sparse"),
        (lambda s: _changed(s, s["conv_stem.weight"].to(torch.complex64)), "conv_stem.weight is complex"),
        (lambda s: _changed(s, s["conv_stem.weight"].to("meta")), "it was saved from the meta device"),
        (_holding_itself, "holds no state dict"),
        (lambda s: [1, 2], "holds no state dict"),
    ],
)
def test_numbers_that_no_model_can_use(
    state: dict[str, torch.Tensor], tmp_path: Path, make: object, said: str
) -> None:
    torch.save(make(state), tmp_path / "w.pt")  # type: ignore[operator]
    with pytest.raises(PlateauError, match=said):
        load_backbone(NAME, str(tmp_path / "w.pt"))


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.safetensors"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a Git LFS pointer"),
        (b"\n<!DOCTYPE html><html>404</html>", "is a web page"),
        (b"these are no weights\n", "is text that torch.save does not write|is no safetensors file"),
        (b"PK\x03\x04" + bytes(64), "cannot be read|is no safetensors file"),
        (b"\x80\x02}q\x00" + bytes(9), "is not opened|cannot be read|is no safetensors file"),
        (bytes(range(128, 256)), "in no format that torch.save|is no safetensors file"),
    ],
)
def test_files_that_are_no_weights(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PlateauError, match=said) as caught:
        read_state(tmp_path / name)
    assert "weights_only" not in str(caught.value)


def test_a_program_is_not_opened_and_nobody_is_told_to_open_it_unsafely(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / "w.pt")
    with pytest.raises(PlateauError, match="it is a TorchScript program, not weights") as caught:
        read_state(tmp_path / "w.pt")
    assert "weights_only" not in str(caught.value)


def test_the_case_of_the_ending_does_not_matter(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "w.PT")
    assert read_state(tmp_path / "w.PT")[0].keys() == state.keys()
