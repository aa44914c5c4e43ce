"""One case through the pipeline's stages, in this process and without pictures."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import plateau_cause
from benchmarks.diagnosis import data_faults, pretrain, sets
from benchmarks.diagnosis.cases import BACKBONES, Case
from plateau_cause import artifacts
from plateau_cause.config.params import BackboneParams, Data, Diagnosis, Params, dump
from plateau_cause.config.recipe import Recipe, put
from plateau_cause.pipeline import embed, finetune, intervene, paths
from plateau_cause.pipeline.bench import at_scale, open_laboratory

FORUM = Path(__file__).parent / "forum"
SOURCE = Path(plateau_cause.__file__).parent


def diagnose(case: Case, work: Path, seed: int = 0) -> dict[str, Any]:
    """Returns the case's answer, computed now unless the same tool gave it before.

    Keys: summary (plateau_cause.json's content), judged (cause, probability and standing of everything
    tested), recipe_key (of the recipe's run in <work>/runs), seconds.
    """
    params = parameters(case, work, seed)
    key = _digest([dump(params), _images_digest(params), _code((".",))])
    folder = work / "cases" / case.name.replace("/", "--")
    kept = folder / f"{key}.json"
    if not kept.exists():
        started = time.perf_counter()
        answer = stages(params, folder, runs_folder(work))
        artifacts.write_json(kept, {**answer, "seconds": time.perf_counter() - started})
    found: dict[str, Any] = artifacts.read_json(kept)
    return found


def diagnose_all(cases: Sequence[Case], work: Path, seed: int) -> dict[str, dict[str, Any]]:
    """Returns the cases' answers by name, and says after each that it is done."""
    answers = {}
    for case in cases:
        answer = answers[case.name] = diagnose(case, work, seed)
        named = ", ".join(cause["cause"] for cause in answer["summary"]["causes"]) or "-"
        print(
            f"{case.name:55} {answer['summary']['verdict']:12} {named}  {answer['seconds']:.0f} s", flush=True
        )
    return answers


def parameters(case: Case, work: Path, seed: int = 0) -> Params:
    """Returns the case as params.yaml would say it, its table written."""
    rows = data_faults.table(sets.write(case.set, work / "sets"), case.data)
    path = work / "tables" / f"{case.set}-{case.data or 'clean'}.csv"
    if not path.exists():
        artifacts.write_csv(path, rows)
    overrides = dict(case.overrides)
    if case.code is not None:
        overrides["code"] = str(FORUM / f"{case.code}.py")
    return Params(
        data=Data(source="table", path=str(path), stored_size=sets.SIDE_PX),
        backbone=BackboneParams(name=case.architecture, weights=_weights(case)),
        recipe=put(Recipe(), overrides),
        diagnosis=Diagnosis(seeds=(seed,)),
    )


def runs_folder(work: Path) -> Path:
    """Returns where finished runs lie, shared by all cases."""
    return work / "runs"


def prepare(params: Params, folder: Path) -> None:
    """Writes what the diagnosis reads of images, features, copies and shifts, as the stages do."""
    from plateau_cause.features import analysis
    from plateau_cause.features.blas import one_thread
    from plateau_cause.images import statistics
    from plateau_cause.images.prepare import prepare as write_images
    from plateau_cause.images.store import open_dataset

    write_images(params.data, folder / paths.PREPARED)
    found, _ = embed.write_features(params, folder)
    dataset = open_dataset(folder / paths.PREPARED)
    artifacts.write_json(folder / paths.NOISE, _noise(dataset, found))
    with one_thread():
        shifts = analysis.shift_tests(found["recipe"].followed(dataset), found)
        artifacts.write_json(folder / paths.SHIFT_TESTS, shifts)
    described = statistics.describe(dataset)
    artifacts.write_parquet(folder / paths.LEAKAGE, described.leaked)
    artifacts.write_parquet(folder / paths.IMAGE_FACTS, described.images)


def stages(params: Params, folder: Path, runs: Path) -> dict[str, Any]:
    """Returns an answer (see `diagnose`, but for the seconds) of what is computed now.

    Args:
        params: what to diagnose.
        folder: for what the stages write.
        runs: for finished runs.
    """
    prepare(params, folder)
    for arm in ("recipe", "reference"):
        lab, rates = laboratory(params, folder, runs)
        if arm == "reference":
            lab, rates = at_scale(lab, rates)
        trained = finetune.train_arm(lab, rates, params, arm)
        finetune.write(folder, lab, trained, rates.seconds)
    lab, rates = laboratory(params, folder, runs)
    found = intervene.diagnose_arms(lab, rates, params, folder).record
    keys = artifacts.read_json(folder / paths.arm_record("recipe"))["keys"]
    tested = [*found["findings"], *found["data"]]
    return {
        "summary": _summary(found, params),
        "judged": [
            {k: item.get(k) for k in ("cause", "probability", "effect", "ci", "standing")} for item in tested
        ],
        "runs": found["runs"],
        "recipe_key": keys[0],
    }


def laboratory(params: Params, folder: Path, runs: Path) -> tuple[Any, Any]:
    """Returns the laboratory over what the stages wrote, and its rates; finished runs lie in `runs`."""
    lab, rates = open_laboratory(params, folder)
    lab.folder = runs
    lab.shelves = ()
    return lab, rates


def _noise(dataset: Any, views: Any) -> dict[str, Any]:
    """Returns the label-noise evidence of the stage feature_shift, without its pictures."""
    from plateau_cause.features import analysis
    from plateau_cause.features.blas import one_thread
    from plateau_cause.features.neighbors import nearest_in
    from plateau_cause.features.noise import NEIGHBOURS
    from plateau_cause.features.probes import linear_probe

    dataset = views["recipe"].followed(dataset)
    train, val, test = (dataset.indices(split) for split in ("train", "val", "test"))
    with one_thread():
        fitted = {
            name: linear_probe(views[name].features, dataset.targets, train, val, len(dataset.classes), test)
            for name in ("recipe", "canonical")
        }
        best = max(fitted, key=lambda name: (fitted[name].accuracy["val"], name == "canonical"))
        features = views[best].features
        near = nearest_in(features, train, NEIGHBOURS)
        found = analysis.label_noise(dataset, features, near, fitted[best], best)
    if (rows := views["recipe"].rows) is not None:
        for image in (image for part in ("train", "held_out") for image in found[part]["flagged"]):
            image["row"] = int(rows[image["row"]])
    return found


def _summary(found: dict[str, Any], params: Params) -> dict[str, Any]:
    from plateau_cause.report.summary import describe_plateau, summarize

    run = next(run for run in found["runs"] if run["name"] == "recipe")
    plateau_ = describe_plateau(run, run["train_accuracy"] or 0.0, None, None)
    return summarize(found, {"chance": 1 / found["num_classes"]}, plateau_, params.diagnosis.min_effect, {})


def _weights(case: Case) -> str:
    if case.weights in ("bundled", "none"):
        return case.weights
    if (
        case.weights not in pretrain.WEIGHTS
        or pretrain.WEIGHTS[case.weights].backbone != BACKBONES[case.backbone][0]
    ):
        raise ValueError(f"{case.name}: no weights {case.weights} for {case.backbone}")
    return str(pretrain.weights_file(case.weights))


def _images_digest(params: Params) -> str:
    code = Path(params.recipe.code).read_bytes() if params.recipe.code else b""
    return hashlib.sha256(Path(str(params.data.path)).read_bytes() + code).hexdigest()


@cache
def _code(names: tuple[str, ...]) -> str:
    """Returns a digest of these files and folders of the package, as they were when first asked for."""
    files = {
        p for name in names for p in [SOURCE / name, *(SOURCE / name).rglob("*.py")] if p.suffix == ".py"
    }
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
