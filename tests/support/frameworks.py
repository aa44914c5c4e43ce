"""What every framework's script is asked."""

from __future__ import annotations

import json
import re


def assert_says(content, says):
    """Asserts that a peek holds values at paths such as loaders.0.name, and met no problem."""
    found = {}
    for path in says:
        value = content
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, list) else value[key]
        found[path] = value
    assert found == says
    assert content["problems"] == []


def assert_accuracies(watched):
    """Asserts that a finished run's evaluations are what the script printed as `acc 0.1234`; the record."""
    status, printed, out = watched
    record = json.loads((out / "watch.json").read_text())
    assert (status, record["error"], record["is_trained"], record["problems"]) == (0, None, True, []), printed
    said = re.findall(r"acc ([01]\.\d{4})", printed)
    measured = [one["accuracy"] for epoch in record["epochs"] for one in epoch["evaluations"]]
    assert [f"{value:.4f}" for value in measured] == said
    return record
