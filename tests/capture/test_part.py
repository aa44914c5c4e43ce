"""A replay that reads a part of the images: as many as asked for, the same each time, all else as on all."""

import json

import numpy as np
import pytest

from plateau_cause.capture.parts import Part, part_of
from plateau_cause.capture.replay import Replayed, Replays, ReplaysOnPart
from plateau_cause.errors import PlateauError

SETTINGS = {"part": {"images": 9, "judged": 6}}


@pytest.fixture
def replay(capture):
    """Returns a function that replays the script of a folder on a part: (result, hits by split)."""

    def run(folder, *interventions, settings=SETTINGS, **given):
        status, printed, out = capture(
            "replay", folder, seed=0, interventions=[*interventions, "part"], settings=settings, **given
        )
        assert status == 0, printed
        return json.loads((out / "replay.json").read_text()), dict(np.load(out / "hits.npz"))

    return run


@pytest.mark.parametrize(("name", "read"), [("module_level", 6), ("functions", 8)])  # whole batches
def test_training_and_evaluation_read_a_part(name, read, prepare, replay):
    result, hits = replay(prepare(name))
    assert result["interventions"]["part"] == {"took": True, "words": None}
    assert (result["error"], result["problems"]) == (None, [])
    assert {len(found) for found in hits.values()} == {read}  # in order: as many as of training, or more
    assert result["epochs"][0]["training"]["images"] == read


def test_it_is_the_same_part_each_time(prepare, replay):
    folder = prepare("module_level")
    (first, one), (second, two) = replay(folder), replay(folder)
    assert first["epochs"][-1]["training"] == second["epochs"][-1]["training"]
    assert (one["val"] == two["val"]).all()


def test_what_is_small_is_read_as_it_is(prepare, replay):
    settings = {"part": {"images": 1000, "judged": 1000}}
    result, hits = replay(prepare("module_level"), settings=settings)
    assert not result["interventions"]["part"]["took"]
    assert len(hits["val"]) == 12


class TestWhich:
    @staticmethod
    def peek(length, classes=("a", "b")):
        loader = {"role": "train", "data_set": {"length": length}, "labels": {"classes": list(classes)}}
        return {"loaders": [loader, {"role": "evaluation", "data_set": {"length": 10**6}, "labels": {}}]}

    def test_few_images_are_all_read(self):
        assert part_of(self.peek(5_000)) is None

    def test_many_are_read_in_part(self):
        found = part_of(self.peek(60_000))
        assert found == Part(5_000, 60_000)
        assert found.price == pytest.approx(1 / 12 + 0.05)

    @pytest.mark.parametrize("content", [{}, {"loaders": []}, {"fits": []}])
    def test_what_reads_no_loader_is_read_as_it_is(self, content):
        assert part_of(content) is None

    def test_a_stream_has_no_part(self):
        assert part_of(self.peek(None)) is None


class TestBench:
    class Replays(Replays):
        def __init__(self, took):
            self.took, self._settings, self.asked = took, {}, []

        def run(self, interventions, seed):
            self.asked.append(sorted(interventions))
            told = {name: {"took": True, "words": None} for name in interventions}
            told["part"] = {"took": self.took, "words": None if self.took else "no loader was built"}
            taken = frozenset(name for name in told if told[name]["took"])
            return Replayed({"interventions": told}, {"val": np.ones(4)}, taken, seed)

    def test_that_a_part_was_read_is_no_intervention(self):
        bench = self.Replays(took=True)
        found = bench.on_part(1_500, 2_500).run(["unfreeze"], 0)
        assert bench.asked == [["part", "unfreeze"]]
        assert bench._settings == {"part": {"images": 1_500, "judged": 2_500}}
        assert found.interventions == {"unfreeze"} and set(found.content["interventions"]) == {"unfreeze"}

    def test_where_none_can_be_drawn_it_says_so(self):
        with pytest.raises(PlateauError, match="no loader was built"):
            ReplaysOnPart(self.Replays(took=False)).run([], 0)
