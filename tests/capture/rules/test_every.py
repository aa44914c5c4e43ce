"""What stood still to the end of a run, beside what a peek says."""

import pytest

from plateau_cause.capture.rules import every
from plateau_cause.capture.rules.every import standing
from plateau_cause.capture.rules.frozen import frozen_layers
from plateau_cause.capture.rules.observation import Observation

PLACE = {"file": "train.py", "line": 7}


class TestStanding:
    def content(self, changes_at):
        nothing = {"layers": "", "parameters": 0, "numbers": 0, "changes_at": None}
        frozen = {**nothing, "layers": "body", "parameters": 4, "numbers": 40, "matrices": 2, "place": PLACE,
                  "changes_at": changes_at}  # fmt: skip
        return {"model": {"frozen": frozen, "not_held": nothing, "strangers": nothing}, "optimizers": []}

    def watched(self, change):
        return {"epochs": [{"moved": {"body": {"norm": 1.0, "change": change}}}]}

    @pytest.fixture(autouse=True)
    def only(self, monkeypatch):
        monkeypatch.setattr(every, "RULES", (frozen_layers,))

    def test_what_a_line_ahead_could_move_and_never_did(self, tmp_path):
        (only,) = standing(self.content(PLACE), tmp_path, self.watched(0.0))
        assert only.code == "frozen_layers" and only.location == PLACE

    def test_what_moved_later(self, tmp_path):
        assert standing(self.content(PLACE), tmp_path, self.watched(0.1)) == []

    def test_what_the_peek_has_said_is_not_said_again(self, tmp_path):
        assert standing(self.content(None), tmp_path, self.watched(0.0)) == []


def test_what_costs_little_comes_last(tmp_path, monkeypatch):
    codes = ("augmented_once", "frozen_layers", "not_shuffled")
    rules = [lambda _, code=code: Observation(code, "cause", code, None) for code in codes]
    monkeypatch.setattr(every, "RULES", rules)
    monkeypatch.setattr(every.lighter, "beyond", lambda _: ())
    found = every.observe({}, tmp_path)
    assert [one.code for one in found] == ["not_shuffled", "frozen_layers", "augmented_once"]
