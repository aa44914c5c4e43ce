"""A peek at a Keras script says what it does and where, and names what is broken, nothing else."""

from __future__ import annotations

import subprocess

import pytest
from keras_cases import CASES, at

from plateau_cause.capture.possible.keras import interventions
from plateau_cause.capture.rules.every import observe
from plateau_cause.capture.table.whole import render, rows

BROKEN = [(name, kind) for name, case in CASES.items() for kind in case.broken]


@pytest.mark.parametrize("name", CASES)
def test_a_healthy_script_is_described_and_nothing_stands_out(name, prepare, peek):
    case = CASES[name]
    folder = prepare(name)
    content = peek(folder, case.backend)
    assert {path: at(content, path) for path in case.facts} == case.facts
    assert (content["problems"], content["seen"]["is_so_far"]) == ([], False)
    for path, text in case.lines.items():
        line = at(content, path)["line"]
        assert text in (folder / "train.py").read_text().splitlines()[line - 1], path
    found = observe(content, folder)
    assert [one.code for one in found if one.code not in case.unasked] == []
    assert not any(one["is_sure"] for one in interventions(content, found))
    assert "train.py really does" in render(content, found)


@pytest.mark.parametrize(("name", "kind"), BROKEN, ids=[" ".join(one) for one in BROKEN])
def test_what_is_broken_is_named_with_its_line(name, kind, prepare, peek):
    case, broken = CASES[name], CASES[name].broken[kind]
    folder = prepare(name, broken.edits)
    found = observe(content := peek(folder, case.backend), folder)
    named = [one for one in found if one.code == broken.code]
    assert len(named) == 1, [one.code for one in found]
    text = (folder / "train.py").read_text().splitlines()
    assert broken.line in text[named[0].location["line"] - 1]
    assert (named[0].cause, bool(named[0].patch)) == (broken.cause, broken.is_patched)
    offered = [one["name"] for one in interventions(content, found) if one["cause"] == broken.cause]
    assert offered == ([broken.offers] if broken.offers else [])


def test_steps_of_a_set_without_end_do_not_tell_how_many_images_there_are(prepare, peek):
    edits = (("train_ds = train_ds.prefetch", "train_ds = train_ds.repeat().prefetch"),
             ("fit(train_ds, epochs", "fit(train_ds, steps_per_epoch=1, epochs"))  # fmt: skip
    content = peek(prepare("functional", edits))
    told = {what: value for what, value, _ in rows(content)}
    assert told["steps per epoch"] in ("1", "1 of 3 batches")


def test_a_handle_brings_its_weights(prepare, peek):
    told = {what: (value, where) for what, value, where in rows(peek(prepare("hub_layer")))}
    assert told["weights"][0] == "those that its handle holds" and told["weights"][1].startswith("train.py:")


def test_images_that_a_pipeline_leaves_out_are_not_counted(prepare, peek):
    folder = prepare("functional", [("train_ds = train_ds.prefetch", "train_ds = train_ds.skip(1).prefetch")])
    lengths = [one["data_set"]["length"] for one in peek(folder)["loaders"]]
    assert lengths == [32, 24]


LAST = "model.fit(train_ds, epochs=2, validation_data=val_ds)"


def test_a_loop_over_fits_of_one_epoch_is_as_long_as_all_of_them(prepare, peek):
    loop = f"for _ in range(5):\n    {LAST.replace('epochs=2', 'epochs=1')}"
    content = peek(prepare("functional", [(LAST, loop)]))
    assert (content["epochs"]["count"], content["seen"]["fits"]) == (5, 1)


@pytest.mark.parametrize(
    ("data", "name"), [("train_ds", "train_ds"), ("val_ds", None), ("train_ds.take(1)", None)]
)
def test_predictions_in_another_order_than_any_list_of_labels(data, name, prepare, peek):
    folder = prepare("functional", [(LAST, f"{LAST}\nprint(model.predict({data}).argmax(1))")])
    found = {one.code: one for one in observe(peek(folder), folder)}
    told = found.get("predicted_shuffled")
    assert (told and "predict reads train_ds shuffled" in told.words) == (True if name else None)


PATCHED = [(name, kind) for name, kind in BROKEN if CASES[name].broken[kind].is_patched]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), PATCHED, ids=[" ".join(one) for one in PATCHED])
def test_a_patched_script_is_healthy(name, kind, prepare, peek):
    case, broken = CASES[name], CASES[name].broken[kind]
    folder = prepare(name, broken.edits)
    found = observe(peek(folder, case.backend), folder)
    patch = next(one.patch for one in found if one.code == broken.code)
    subprocess.run(["patch", "-p1"], cwd=folder, input=patch, text=True, check=True, capture_output=True)
    again = observe(peek(folder, case.backend), folder)
    assert broken.code not in [one.code for one in again]
