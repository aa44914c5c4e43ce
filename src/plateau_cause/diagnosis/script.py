"""The diagnosis of a script by replay: every run is the same script with some of its faults repaired."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from plateau_cause.config.params import Diagnosis as Limits
from plateau_cause.diagnosis.decision import WORTH, corners
from plateau_cause.diagnosis.game import Factors, Game
from plateau_cause.diagnosis.posterior import posterior
from plateau_cause.diagnosis.prior import hypotheses
from plateau_cause.diagnosis.replays import Bench, Factor, Replay, accuracy, tells_apart, with_replay
from plateau_cause.diagnosis.search import look
from plateau_cause.diagnosis.verdict import Verdict, judge, withheld
from plateau_cause.errors import PlateauError
from plateau_cause.lab.effort import MOST_RUNS

LIKELY = 0.5  # prior from which what stands out leaves a verdict open where it could not be tried
NO_ROOM = "it cannot cost what is worth reporting, so few held-out images are missed"

Ask = Callable[[Replay, float], Sequence[Factor]]


@dataclass(frozen=True)
class ScriptDiagnosed:
    """Everything that the runs showed.

    Attributes:
        factors: of the game, as they were tried.
        game, verdict: what was run, and what it decides; both None where nothing could be changed.
        runs: by name, in the order in which they were made; `recipe` is the script as it is.
        left_out: intervention -> why it judges nothing.
        untried: what stands out in the script, in words -> why nothing tells what it costs.
    """

    factors: tuple[Any, ...]
    game: Game | None
    verdict: Verdict | None
    runs: Mapping[str, Replay]
    left_out: Mapping[str, str]
    untried: Mapping[str, str] = field(default_factory=dict)


@dataclass
class ScriptSearch:
    """Finds the repaired script that reaches most, then which of its repairs does it.

    Attributes:
        bench: where the script is run.
        limits: the diagnosis section of params.yaml; `max_cost` counts runs of the script.
        factors: what can be changed, by name.
        asks: return what a run's curves suggest to change besides (another rate, a longer training), one
            after the other; each is told how many runs like that one are affordable.
        price: of one run, in runs of the script; less than 1 where runs read a part of its images.
        reserve: what of `max_cost` is kept for later.
        standing: returns what the script's own run shows to have stood still to its end.
    """

    bench: Bench
    limits: Limits
    factors: dict[str, Factor]
    asks: Sequence[Ask] = ()
    price: float = 1.0
    reserve: float = 0.0
    standing: Callable[[Replay], Sequence[Factor]] = lambda run: ()
    runs: dict[str, Replay] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    found: list[Replay] = field(default_factory=list)

    def diagnose(self) -> ScriptDiagnosed:
        """Returns what holds the script back.

        Raises:
            PlateauError: the script itself fails.
        """
        recipe = self.bench.run(frozenset(), self.limits.seeds[0])
        self.runs["recipe"] = recipe
        self.found.append(recipe)
        self.factors = {**{one.name: one for one in self.standing(recipe)}, **self.factors}
        likely = {name: one for name, one in self.factors.items() if one.prior >= LIKELY}
        found = self._judged(recipe)
        return replace(found, untried={one.words: found.left_out[name] for name, one in likely.items()
                                       if name in found.left_out and self._has_room(recipe)})  # fmt: skip

    def _judged(self, recipe: Replay) -> ScriptDiagnosed:
        has_room = self._has_room(recipe)
        if not has_room:
            self.left_out |= {name: f"{factor.words}; {NO_ROOM}" for name, factor in self.factors.items()}
        kept = self._reference(recipe) if has_room else frozenset()
        if not kept:
            return ScriptDiagnosed((), None, None, self.runs, self.left_out)
        factors = tuple(self.factors[name] for name in self.factors if name in kept)
        game = self._played(self._begun(factors))
        sets = corners(game)
        prior = hypotheses(game.active)
        verdict = judge(game, posterior(game, sets, prior), sets, self.limits.min_effect)
        if not any(tells_apart(run) for run in self.found):
            verdict = withheld(verdict)
        return ScriptDiagnosed(factors, game, verdict, self.runs, self.left_out)

    def _reference(self, recipe: Replay) -> Factors:
        """Returns the changes under which the script reaches most, of the few sets that are tried."""
        sure = frozenset(name for name, factor in self.factors.items() if factor.is_sure)
        best = self._tried(sure) if sure else recipe
        best = recipe if best is None else best
        doubtful = frozenset(self.factors) - sure
        last = best
        if doubtful:
            last = self._tried(best.interventions | doubtful) or best
            best = max(best, last, key=accuracy)
        for ask in self.asks:
            more = self._asked(ask, best)
            last = last if more is None else more
            best = self._better(best, more)
        return best.interventions or last.interventions

    def _asked(self, ask: Ask, best: Replay) -> Replay | None:
        """Returns the best run with what its curves suggest besides; None where there is no room for it."""
        room = self.left / self._price(best.interventions)
        factors = ask(best, room) if self._has_room(best) else ()
        new = {one.name: one for one in factors if one.name not in best.interventions}
        if not new or math.prod(one.cost for one in new.values()) > room:
            return None
        self.factors |= new
        return self._tried(best.interventions | frozenset(new))

    def _better(self, best: Replay, other: Replay | None) -> Replay:
        """Returns the other run where what it gains could be worth reporting.

        A rate that suits the repaired script as well as its own may ruin the script as it is: a draw brings
        it into no game.
        """
        least = accuracy(best) + WORTH * self.limits.min_effect
        return other if other is not None and accuracy(other) >= least else best

    def _has_room(self, run: Replay) -> bool:
        """Returns whether so many held-out images are missed that one cause could be worth reporting."""
        return accuracy(run) < 1 - WORTH * self.limits.min_effect

    def _price(self, interventions: Factors) -> float:
        """Returns what a run with these changes costs, in runs of the script."""
        return self.price * math.prod(self.factors[name].cost for name in interventions)

    def _tried(self, interventions: Factors) -> Replay | None:
        """Returns a run with these changes, or with those that do not break the script; None where all do."""
        try:
            return self._run(interventions)
        except PlateauError as error:
            if len(interventions) == 1:
                self.left_out |= dict.fromkeys(interventions, f"the script failed: {error}")
                return None
        alone = [self._tried(frozenset({name})) for name in sorted(interventions)]
        known = [one for one in alone if one is not None]
        working = frozenset().union(*(one.interventions for one in known))
        if working and working != interventions:
            return self._tried(working)
        best = max(known, key=accuracy, default=None)  # each works, and not with the others
        if best is not None:
            why = "with the other changes at once the script failed"
            self.left_out |= dict.fromkeys(interventions - best.interventions, why)
        return best

    def _run(self, interventions: Factors) -> Replay:
        """Runs the script under the next seed of this set, and keeps what it showed."""
        before = sum(one.interventions == interventions for one in self.found)
        seeds = self.limits.seeds
        seed = seeds[before] if before < len(seeds) else max(seeds) + 1 + before - len(seeds)
        run = self.bench.run(interventions, seed)
        if len(run.all_hits) != len(self.found[0].all_hits):
            raise PlateauError("it judges other held-out images than before")
        self.left_out |= run.untaken
        self.found.append(run)
        name = " + ".join(["recipe", ", ".join(sorted(run.interventions))]) if run.interventions else "recipe"
        self.runs[name if seed == seeds[0] else f"{name}, seed {seed}"] = run
        return run

    @property
    def left(self) -> float:
        """Returns what may still be spent, in runs of the script."""
        own = 1 if self.price == 1.0 else 0  # the script's own run on all images is there anyway
        spent = sum(self._price(run.interventions) for run in self.found[own:])
        return self.limits.max_cost - self.reserve - spent

    def _begun(self, factors: Sequence[Factor]) -> Game:
        """Returns the game with the runs so far that belong to it."""
        names = tuple(factor.name for factor in factors)
        game = Game(names, tuple(factor.prior for factor in factors))
        for run in self.found:
            if run.interventions <= game.everything:
                game = with_replay(game, run)
        return game

    def _played(self, game: Game) -> Game:
        """Returns the game after the runs that were worth their price."""
        prior = hypotheses(game.active)

        def price(broken: Factors) -> float:
            return self._price(game.everything - broken)

        while True:
            ahead = look(game, prior, self.limits.min_effect, price, self.left)
            if ahead.broken is None or len(self.found) > MOST_RUNS:
                return game
            wanted = game.everything - ahead.broken
            try:
                run = self._run(wanted)
            except PlateauError as error:
                self.left_out[" and ".join(sorted(wanted))] = f"the script failed: {error}"
                return game
            game = with_replay(game, run)


def renamed(found: ScriptDiagnosed) -> ScriptDiagnosed:
    """Returns the runs with the one that has every repair as `reference`."""
    everything = " + ".join(["recipe", ", ".join(sorted(factor.name for factor in found.factors))])
    runs = {("reference" if name == everything else name): run for name, run in found.runs.items()}
    return replace(found, runs=runs)
