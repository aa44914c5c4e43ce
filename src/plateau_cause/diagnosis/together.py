"""Which runs next, where several are trained at once: as many sets as there are workers."""

from __future__ import annotations

from collections.abc import Sequence

from plateau_cause.diagnosis.game import Factors
from plateau_cause.diagnosis.questions import Question
from plateau_cause.diagnosis.search import Look

Chosen = tuple[Question, Factors]


def choose(looks: Sequence[tuple[Question, Look]], left: float, workers: int) -> list[Chosen]:
    """Returns the sets to run next, the best first; none where nothing affordable would help.

    One after the other, by what is believed now: a later one knows of the earlier ones what they cost and
    what they isolate, not how they come out. So which runs are made depends on the number of workers, and on
    no clock.

    Args:
        looks: of every question, what it would run next.
        left: what may be spent.
        workers: how many arms are trained at once.
    """
    chosen: list[Chosen] = []
    ahead = list(looks)
    while not chosen or _arms(chosen) < workers:
        place = max(range(len(ahead)), key=lambda number: ahead[number][1].value)
        question, best = ahead[place]
        if best.broken is None or question.price(best.broken) > left:
            break
        chosen.append((question, best.broken))
        left -= question.price(best.broken)
        if _arms(chosen) < workers:
            taken = [broken for other, broken in chosen if other is question]
            ahead[place] = question, question.look(left, taken)
    return chosen


def ask(chosen: Sequence[Chosen]) -> float:
    """Runs the sets, all their arms at once; returns the cost."""
    wanted = [question.wanted(broken) for question, broken in chosen]
    results = chosen[0][0].bench.run_all([one for arms in wanted for one in arms])
    spent = 0.0
    for (question, broken), arms in zip(chosen, wanted, strict=True):
        spent += question.take(broken, results[: len(arms)])
        results = results[len(arms) :]
    return spent


def _arms(chosen: Sequence[Chosen]) -> int:
    return sum(len(question.wanted(broken)) for question, broken in chosen)
