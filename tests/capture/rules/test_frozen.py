"""What stands still by hand: on purpose or not."""

import pytest

from plateau_cause.capture.rules.frozen import frozen_layers
from plateau_cause.capture.rules.observation import Peeked


@pytest.mark.parametrize(
    ("trained", "is_patched"), [("fc", True), ("blocks.0.attn.lora_A", False), ("Adapter_0", False)]
)
def test_what_adapters_train_beside_stays_frozen(trained, is_patched, tmp_path):
    """The head that is frozen with the rest is named."""
    (tmp_path / "train.py").write_text("for p in net.parameters():\n    p.requires_grad = False\n")
    place = {"file": "train.py", "line": 2}
    frozen = {
        "layers": "a, b and 20 more",
        "parameters": 22,
        "matrices": 20,
        "place": place,
        "has_head": True,
    }
    model = {"frozen": frozen, "trains": {"layers": trained}, "head": {"name": "fc"}, "parts": []}
    found = frozen_layers(Peeked({"model": model, "optimizers": []}, tmp_path))
    assert ", fc among them, which gives the outputs: frozen" in found.words
    assert bool(found.patch) == is_patched
