"""The whole diagnosis by replay: the broken line comes first; the healthy twin is not accused."""

from __future__ import annotations

import pytest
from capture_cases import CASES, line_of

from plateau_cause.capture import launch
from plateau_cause.capture.identity import identity
from plateau_cause.capture.replay import Replays
from plateau_cause.config.params import Diagnosis, Params
from plateau_cause.config.recipe import Recipe
from plateau_cause.diagnosis import script_record
from plateau_cause.pipeline import capture as stage
from plateau_cause.pipeline import script_swaps, scripts

pytestmark = pytest.mark.slow
LONGER = {
    "accumulation": ("epochs=2", "epochs=5"),
    "averaged": ("range(2)", "range(6)"),
    "in_memory": ("n_epochs = 2", "n_epochs = 8"),
}
RUN = {"package": {**CASES["package"].run, "arguments": ["--data", "data", "--epochs", "4"]}}
CAUSES = [
    ("accumulation", "labels_in_another_order", "label_mapping"),
    ("averaged", "evaluates_in_training_mode", "evaluation"),
    ("averaged", "optimizer_before_head", "optimizer_parameters"),
    ("in_memory", "no_steps", "weights_update"),
    ("package", "evaluation_normalised_otherwise", "evaluation"),
    ("package", "gradients_clipped_away", "training_loop"),
]


@pytest.fixture
def diagnose(forked, tmp_path):
    """Returns a function that diagnoses the script of a folder: the record."""

    def made(folder, target="train.py", arguments=(), is_module=False, **limits):
        script = launch.Script(target, tuple(arguments), folder, is_module=is_module)
        out = tmp_path / "peeked"
        out.mkdir(exist_ok=True)
        content = stage.peeked(script, out)
        recipe = Recipe(script=str(folder / target), arguments=tuple(arguments), folder=str(folder))
        bench = Replays(script, scripts.possible_in(content), tmp_path / "store", identity(script))
        given = Params(recipe=recipe, diagnosis=Diagnosis(max_cost=4.0, **limits))
        return script_record.record(script_swaps.diagnose(given, content, bench), 0.03)

    return made


def causes(record):
    found = [one for one in record["findings"] if one["standing"] == "cause"]
    return sorted(found, key=lambda one: -one["effect"])


@pytest.mark.parametrize(("name", "code", "cause"), CAUSES, ids=[f"{one[0]}-{one[1]}" for one in CAUSES])
def test_the_broken_line_comes_first_with_its_file(name, code, cause, prepare, diagnose):
    broken = next(one for one in CASES[name].broken if one.code == code)
    edits = [LONGER[name]] if name in LONGER else []
    folder = prepare(name, *edits, (broken.old, broken.new), file=broken.file)
    record = diagnose(folder, **RUN.get(name, CASES[name].run))
    assert record["verdict"] == "plateau"
    first = causes(record)[0]
    file = broken.named or broken.file
    assert (first["cause"], first["location"]["file"]) == (cause, file)
    assert first["location"]["line"] == line_of(folder / file, broken.line)
    assert record["recommended"]["after"] > record["recommended"]["before"] + 0.1


@pytest.mark.parametrize("name", ["accumulation", "averaged", "package"])
def test_the_healthy_twin_is_run_once_and_not_accused(name, prepare, diagnose):
    record = diagnose(prepare(name, *([LONGER[name]] if name in LONGER else [])), **RUN.get(name, {}))
    assert (record["verdict"], record["findings"]) == ("healthy", [])
    assert [run["name"] for run in record["runs"]] == ["recipe"]


def test_the_same_command_twice_gives_the_same_answer_and_runs_nothing(prepare, diagnose, monkeypatch):
    folder = prepare("averaged", LONGER["averaged"], ("    ema_model.eval()\n", ""))
    first = diagnose(folder)
    asked, run = [], launch.run

    def counted(given, out, job, *others, **streams):
        asked.append(job["mode"])
        return run(given, out, job, *others, **streams)

    monkeypatch.setattr(launch, "run", counted)
    assert diagnose(folder) == first
    assert asked == ["peek"]
    assert not (folder / "best.pt").exists()
