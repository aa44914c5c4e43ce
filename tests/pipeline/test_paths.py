"""Every file of a project has its name in paths.py, and what dvc.yaml makes is among them."""

import re
from pathlib import Path

import pytest
import yaml

from plateau_cause.pipeline import paths
from plateau_cause.tracking import provenance, stage

LITERAL = re.compile(r"""["'](?:(?:data|reports|\.plateau)/[\w@./{}]+)["']""")


def named() -> set[str]:
    """Returns every name of paths.py, for both arms and every stage."""
    constants = {str(value) for value in vars(paths).values() if isinstance(value, Path)}
    arms = {
        str(of(arm))
        for arm in ("recipe", "reference", "script")
        for of in (paths.inputs, paths.arm, paths.curves)
    }
    stages = ("capture", "prepare_data", "dataset_stats", "embed", "feature_shift", "intervene", "summarize")
    metrics = {
        str(paths.metrics(name))
        for name in (*stages, "finetune_recipe", "finetune_reference", "finetune_script")
    }
    trained = ("finetune@recipe", "finetune@reference", "finetune@script")
    return constants | arms | metrics | {str(paths.run_record(name)) for name in (*stages, *trained)}


def test_all_that_dvc_makes_is_named(root):
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    made = [
        out if isinstance(out, str) else next(iter(out))
        for stage in stages.values()
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, [])
    ]
    known = named() | {str(paths.SUMMARY.with_suffix(kind)) for kind in (".md", ".html")}
    for arm in ("recipe", "reference", "script"):
        assert {out.replace("${item.arm}", arm) for out in made} - known == set()


@pytest.mark.parametrize("folder", ["pipeline", "commands", "doctor", "retraining", "report"])
def test_nobody_names_a_file_of_the_project_a_second_time(root, folder):
    files = [path for path in (root / "src/plateau_cause" / folder).rglob("*.py") if path.name != "paths.py"]
    assert {path.name: found for path in files if (found := LITERAL.findall(path.read_text()))} == {}


def test_tracking_which_stands_below_means_the_same_files():
    assert (stage.RUNS, provenance.PREPARED) == (paths.RUN_RECORDS, paths.PREPARED)
