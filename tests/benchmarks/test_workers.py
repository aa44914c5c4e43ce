"""Cases over processes: grouped so that runs are shared, spread over CPUs, all answered."""

import os

from benchmarks.diagnosis import workers
from benchmarks.diagnosis.cases import CASES


def where(part, prefix):
    return {case.name: (prefix, len(os.sched_getaffinity(0)), os.environ["OMP_NUM_THREADS"]) for case in part}


def test_groups_hold_every_case_once_and_share_what_is_trained():
    found = workers.groups(CASES)
    assert sorted(case.name for group in found for case in group) == sorted(case.name for case in CASES)
    assert all(len({(case.set, case.backbone) for case in group}) == 1 for group in found)


def test_side_by_side_every_part_is_answered_on_one_cpu():
    parts = workers.groups(CASES)[:3]
    found = workers.spread(where, parts, 2, "seen")
    assert found == {case.name: ("seen", 1, "1") for part in parts for case in part}


def test_one_job_stays_in_this_process():
    assert workers.spread(lambda part: {case.name: os.getpid() for case in part}, [[CASES[0]]], 1) == {
        CASES[0].name: os.getpid()
    }
