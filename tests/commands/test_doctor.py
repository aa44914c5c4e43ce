"""plateau doctor: says everything, one line each, and its exit status is the verdict."""

import json

import pytest

from plateau_cause import doctor
from plateau_cause.doctor.check import FAIL, OK, WARN, Check


@pytest.fixture
def checks(monkeypatch):
    """Returns a function that replaces all checks by these results; an exception is raised."""

    def plant(**results):
        def answer(result):
            if isinstance(result, Exception):
                raise result
            return result

        planted = {name: lambda result=result: answer(result) for name, result in results.items()}
        monkeypatch.setattr(doctor, "INSTALLATION", planted)
        monkeypatch.setattr(doctor, "PROJECT", {})

    return plant


def test_all_is_well(call, checks):
    checks(python=Check(OK, "3.11"), gpu=Check(WARN, "old driver", "update it"))
    ended = call("doctor")
    assert ended.status == 0
    assert ended.out.splitlines()[:3] == [
        "ok    python    3.11",
        "warn  gpu       old driver",
        "                mend: update it",
    ]


def test_something_stands_in_the_way(call, checks):
    checks(python=Check(OK, "3.11"), disk=Check(FAIL, "full", "free some"))
    assert call("doctor").status == 1


def test_a_check_that_fails_itself_is_a_finding_and_the_others_go_on(call, checks):
    checks(gpu=RuntimeError("no\nkernel"), disk=Check(OK, "50 GiB"))
    ended = call("doctor", "--json")
    found = json.loads(ended.out)
    assert ended.status == 1
    assert [entry["status"] for entry in found["checks"]] == [FAIL, OK]
    assert found["checks"][0]["found"] == "could not be checked: RuntimeError: no kernel"
    assert (found["ok"], found["project"]) == (False, False)


def test_outside_a_project_it_says_what_was_not_checked(call, checks):
    checks(python=Check(OK, "3.11"))
    assert "No plateau project here" in call("doctor").out


@pytest.mark.slow
def test_a_real_project_without_a_remote(call, tmp_path):
    """Everything for real: the shipped data, no runs yet, a wrong key planted afterwards."""
    assert call("init", "mine").status == 0
    import os

    os.chdir(tmp_path / "mine")
    ended = call("doctor", "--json")
    found = {entry["check"]: entry for entry in json.loads(ended.out)["checks"]}
    assert set(found) == {*doctor.INSTALLATION, *doctor.PROJECT}
    assert found["data"]["found"] == "1,797 images in 10 classes; 16 tried, all readable"
    assert found["remote"]["status"] == WARN
    assert (ended.status == 0) is (FAIL not in {entry["status"] for entry in found.values()})
    params = tmp_path / "mine/params.yaml"
    params.write_text(params.read_text().replace("trainable: head ", "trainable: heads"))
    ended = call("doctor")
    assert ended.status == 1
    assert "fail  params    recipe.trainable: got 'heads'; did you mean head?" in ended.out
