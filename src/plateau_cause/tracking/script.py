"""The run of a user's script: it belongs to no stage and has no params.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from plateau_cause.tracking import provenance, store
from plateau_cause.tracking.journal import Journal
from plateau_cause.tracking.outbox import Recorder
from plateau_cause.tracking.run import Run, ending


@contextmanager
def script_run(name: str, experiment: str = "plateau") -> Iterator[Run]:
    """Yields the run of a watched script; one that records nothing where tracking is off.

    Args:
        name: of the run, such as `train.py`.
        experiment: the experiment it is recorded in.
    """
    if store.is_off():
        yield Run()
        return
    store.settle_environment()
    with closing(Recorder(Journal.create(name))) as recorder:
        run = Run(recorder, experiment, {**provenance.facts(), "arm": "script", "kind": "train"}, None)
        run.start(name, None)
        with ending(run):
            yield run
