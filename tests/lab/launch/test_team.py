"""Arms that are trained at once: the same results, nothing lost with a worker that dies, nothing twice."""

import time
from functools import partial

import numpy as np
import pytest
import workers
from tiny import make_arm

from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.lab.launch import local
from plateau_cause.lab.launch.team import Team

pytestmark = pytest.mark.slow  # every worker loads torch
PLACE = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


@pytest.fixture
def make_team():
    made = []

    def make(opener, count=2):
        made.append(Team(opener, partial(local.start, [PLACE] * count), is_here=True))
        return made[-1]

    yield make
    for team in made:
        team.close()


class TestFinish:
    def test_two_workers_give_what_one_process_gives(self, make_lab, make_team, arms, plain, same, tmp_path):
        folder = tmp_path / "runs"
        rows = []
        lab = make_lab(
            folder=folder, team=make_team(workers.opener(folder)), on_epoch=lambda *row: rows.append(row)
        )
        assert lab.workers == 2
        same(lab.run_all([*arms, *arms], keep_weights=True), [*plain, *plain])
        assert len(list(folder.glob("*.npz"))) == len(list(folder.glob("*.weights.pt"))) == 4
        assert not list(folder.glob("*.checkpoint.pt"))
        assert sorted((name, row["epoch"]) for name, row in rows) == [
            (name, epoch) for _, name in arms for epoch in (1, 2)
        ]
        lab.team.crew.executor.submit = None  # what is finished is asked of nobody
        lab.run_all(arms, keep_weights=True)

    def test_a_subset_of_the_images_goes_along(self, make_lab, make_team, same, tmp_path):
        folder, rows = tmp_path / "runs", make_lab().subsets["all"][::2]
        wanted = [(make_arm(images="half", seed=seed), "half") for seed in (0, 1)]
        lab, other = make_lab(folder=folder, team=make_team(workers.opener(folder))), make_lab()
        for each in (lab, other):
            each.add_subset("half", rows)
        same(lab.run_all(wanted), other.run_all(wanted))

    def test_a_part_of_the_images_goes_along(self, make_lab, make_team, arms, same, tmp_path):
        folder, rows = tmp_path / "runs", np.arange(90)[::2]
        lab, other = make_lab(folder=folder, team=make_team(workers.opener(folder))), make_lab()
        half = np.arange(len(rows))[5:]
        same(lab.over(rows).over(half).run_all(arms[:2]), other.over(rows[half]).run_all(arms[:2]))

    def test_one_arm_alone_is_trained_here(self, make_lab, make_team, arms, plain, same, tmp_path):
        lab = make_lab(folder=tmp_path, team=make_team(None))
        same(lab.run_all(arms[:1]), plain[:1])
        assert "crew" not in vars(lab.team)


class TestDeath:
    def test_a_run_whose_worker_died_is_made_again_and_nothing_twice(
        self, make_lab, make_team, arms, plain, same, tmp_path
    ):
        folder, marks = tmp_path / "runs", tmp_path / "deaths"
        lab = make_lab(folder=folder, team=make_team(workers.dying_opener(folder, marks)))
        same(lab.run_all(arms), plain)
        assert len(list(marks.iterdir())) == 1 and len(list(folder.glob("*.npz"))) == 4

    def test_one_that_always_dies_is_given_up(self, make_lab, make_team, arms, tmp_path):
        opener = workers.dying_opener(tmp_path / "runs", tmp_path / "deaths", deaths=100)
        lab = make_lab(folder=tmp_path / "runs", team=make_team(opener))
        with pytest.raises(PlateauError, match=r"launcher: the worker of the run 'seed .' died 3 times"):
            lab.run_all(arms)


class TestMistakes:
    def test_what_the_user_can_mend_arrives_as_that(self, make_lab, make_team, tmp_path):
        code = tmp_path / "own.py"
        code.write_text("def loss(outputs, targets):\n    raise ValueError('no such thing')\n")
        team = make_team(workers.opener(tmp_path / "runs", code))
        lab = make_lab(code=code, folder=tmp_path / "runs", team=team)
        wanted = [(make_arm(own=frozenset({"loss"}), seed=seed), "own") for seed in (0, 1)]
        with pytest.raises(PlateauError) as found:
            lab.run_all(wanted)
        with pytest.raises(PlateauError) as here:
            make_lab(code=code).run_all(wanted)
        assert str(found.value) == str(here.value) and "at line 2" in str(here.value)

    def test_several_lines_stay_several(self, make_lab, make_team, arms, tmp_path):
        team = make_team(partial(_mistakes, ("data: one", "recipe: two")))
        with pytest.raises(MistakesError) as found:
            make_lab(folder=tmp_path, team=team).run_all(arms)
        assert found.value.lines == ("data: one", "recipe: two")

    def test_a_worker_with_other_images_refuses(self, make_lab, make_team, tmp_path):
        team = make_team(workers.opener(tmp_path / "runs"))
        lab = make_lab(folder=tmp_path / "runs", team=team, weights="none")
        wanted = [(make_arm(seed=seed, weights="elsewhere"), "x") for seed in (0, 1)]
        lab.backbone_name = "another"
        with pytest.raises(PlateauError, match=r"launcher: the worker on .* would train something else"):
            lab.run_all(wanted)

    def test_a_run_that_is_not_here_is_said(self, make_lab, make_team, arms, tmp_path):
        team = make_team(workers.idle_opener(tmp_path / "here"))
        with pytest.raises(PlateauError, match="allowed: a project folder that all machines share"):
            make_lab(folder=tmp_path / "here", team=team).run_all(arms)

    def test_an_interruption_ends_the_workers(self, make_lab, make_team, arms, tmp_path):
        def interrupt(*_):
            raise KeyboardInterrupt

        opener = workers.slow_opener(tmp_path / "runs", tmp_path / "begun", seconds=2.0)
        lab = make_lab(folder=tmp_path / "runs", team=make_team(opener), on_epoch=interrupt)
        assert lab.workers == 2
        processes = lab.team.crew.executor._workers
        with pytest.raises(KeyboardInterrupt):
            lab.run_all(arms)
        deadline = time.monotonic() + 10
        while any(w._process is not None and w._process.poll() is None for w in processes):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _mistakes(lines):
    raise MistakesError(lines)
