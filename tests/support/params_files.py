"""A params.yaml to write, and what the tool says against it."""

import pytest
import yaml

from plateau_cause.config import params


def write(folder, content):
    path = folder / "params.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def refusal(folder, content):
    """Returns the error's text, after checking that it is one line."""
    with pytest.raises(params.ParamsError) as caught:
        params.load(write(folder, content))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 700
    return text
