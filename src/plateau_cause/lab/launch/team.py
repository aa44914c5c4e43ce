"""Who trains several arms at once: submits, starts again what died, and waits until all runs are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from plateau_cause import runtime
from plateau_cause.errors import MistakesError, PlateauError
from plateau_cause.lab import store
from plateau_cause.lab.arm import Arm
from plateau_cause.lab.laboratory import Laboratory, Wanted
from plateau_cause.lab.launch.crew import RETRIES, WORKERS, Crew, Start
from plateau_cause.lab.launch.job import Answer, Job, work

Open = Callable[[], Laboratory]


@dataclass
class Team:
    """Workers, started when the first run is asked of them.

    Attributes:
        opener: opens the laboratory in a worker.
        start: returns the workers; it is given the folder of finished runs.
        is_here: the workers share this machine: then a single arm is trained in this process, on every CPU.
    """

    opener: Open
    start: Start
    is_here: bool
    folder: Path = field(default=Path(), init=False)

    @cached_property
    def crew(self) -> Crew:
        """Returns the workers."""
        return self.start(self.folder)

    def workers(self, lab: Laboratory) -> int:
        """Returns how many arms are trained at once."""
        self.folder = _folder(lab)
        return self.crew.workers

    def finish(self, lab: Laboratory, wanted: Sequence[Wanted], keep_weights: bool) -> None:
        """Returns when all arms' runs lie in the laboratory's folder; those that did before cost nothing.

        Raises:
            PlateauError: an arm cannot be trained, its worker died again and again, or the run is not here.
        """
        if self.is_here and len(wanted) == 1:
            return
        self.folder = _folder(lab)
        missing = {
            key: (arm, name) for arm, name in wanted if not _is_there(lab, key := lab.key(arm), keep_weights)
        }
        if missing:
            crew = self.crew
            jobs = [self._job(lab, key, *one, keep_weights, crew.threads) for key, one in missing.items()]
            self._train(crew, lab, jobs)

    def _job(self, lab: Laboratory, key: str, arm: Arm, name: str, keep_weights: bool, threads: int) -> Job:
        rows, folder = lab.subsets[arm.images], _folder(lab).absolute()
        return Job(self.opener, folder, key, arm, name, keep_weights, rows, lab.part, threads)

    def close(self) -> None:
        """Ends the workers at once, those that train too; the next run starts others."""
        if "crew" in self.__dict__:
            with suppress(Exception):  # a cluster that is gone already
                self.crew.executor.shutdown(wait=False, cancel_futures=True)
            del self.__dict__["crew"]

    def _train(self, crew: Crew, lab: Laboratory, jobs: list[Job]) -> None:
        about = f"{len(jobs)} arms, {min(len(jobs), crew.workers)} at once"
        try:
            for job in runtime.progress(_finished(crew, jobs), len(jobs), about):
                _tell(lab, job)
        except BaseException:
            self.close()
            raise


def _finished(crew: Crew, jobs: Sequence[Job]) -> Iterator[Job]:
    """Yields every job when its run is finished; of one whose worker died only when another one did it."""
    died: Counter[str] = Counter()
    left, running = list(reversed(jobs)), dict[Future[Answer], Job]()
    while left or running:
        # No more: a worker that is busy may be given the next one
        while left and len(running) < crew.workers:
            job = left.pop()
            running[crew.executor.submit(work, job)] = job
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job = running.pop(future)
            try:
                answer = future.result()
            except crew.deaths as error:
                died[job.key] += 1
                _give_up_after(died[job.key], job, error)
                left.append(job)
                continue
            if answer.mistakes:
                raise _as_error(answer.mistakes)
            yield job


def _give_up_after(deaths: int, job: Job, error: BaseException) -> None:
    if deaths > RETRIES:
        raise PlateauError(
            f"launcher: the worker of the run '{job.name}' died {deaths} times "
            f"({type(error).__name__}: {error}); where memory was short, {WORKERS}=1 trains one arm at a time"
        ) from error
    runtime.say(f"the worker of the run '{job.name}' died; the run is started again")


def _tell(lab: Laboratory, job: Job) -> None:
    """Tells who listens to epochs of a run that ended elsewhere, all of them at once."""
    run = store.load(_folder(lab), job.key)
    if run is None:
        raise PlateauError(
            f"launcher: a worker finished the run '{job.name}', but it is not in {_folder(lab)}; allowed: "
            "a project folder that all machines share"
        )
    for row in run.outcome.history if lab.on_epoch else ():
        assert lab.on_epoch is not None
        lab.on_epoch(job.name, row)


def _as_error(lines: tuple[str, ...]) -> PlateauError:
    return PlateauError(lines[0]) if len(lines) == 1 else MistakesError(lines)


def _folder(lab: Laboratory) -> Path:
    assert lab.folder is not None, "runs cross from process to process through a folder"
    return lab.folder


def _is_there(lab: Laboratory, key: str, keep_weights: bool) -> bool:
    there = any((folder / f"{key}.json").exists() for folder in lab.folders())
    return there and (not keep_weights or lab.weights_file(key) is not None)
