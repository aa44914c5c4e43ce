"""The suite's results as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.diagnosis import score
from benchmarks.diagnosis.score import Judged

COLUMNS = (
    "cases",
    "top1",
    "precision",
    "recall",
    "false_accusations",
    "brier",
    "ece",
    "cost_ratio",
    "seconds",
)


def line(judged: Judged) -> str:
    """Returns one case: right or not, verdict, causes named, truth, cost, seconds."""
    summary = judged.answer["summary"]
    named = ", ".join(f"{cause['cause']} {cause['effect']:+.2f}" for cause in summary["causes"]) or "-"
    truth = ", ".join(sorted(judged.truth.causes)) or "-"
    also = f" (or {', '.join(sorted(judged.truth.unasked))})" if judged.truth.unasked else ""
    verified = summary["verified"]
    return (
        f"{'ok  ' if judged.is_right else 'MISS'} {judged.case.name:55} {summary['verdict']:12} "
        f"{verified['before']:.2f}->{verified['after']:.2f}  found: {named}  truth: {truth}{also}"
        f"{'' if judged.truth.measured else ' (planted)'}  x{judged.cost_ratio:.1f}"
        f"  {judged.answer['seconds']:.0f} s"
    )


def summary(by_seed: Mapping[int, Sequence[Judged]], rivals: Mapping[str, Mapping[str, float]]) -> str:
    """Returns the scores, overall, per left-out group and per seed, the reliability tables, the peers."""
    results = next(iter(by_seed.values()))
    everything = {
        "all": score.scores(results),
        **{f"set {name}": found for name, found in score.groups(results, lambda case: case.set).items()},
        **{
            f"backbone {name}": found
            for name, found in score.groups(results, lambda case: case.backbone).items()
        },
    }
    lines = [_row("", COLUMNS), *(_numbers(name, found) for name, found in everything.items())]
    lines += [_numbers(f"seed {seed}", score.scores(found)) for seed, found in [*by_seed.items()][1:]]
    lines += ["", *_reliability("stated probability", results)]
    if len(by_seed) > 1:
        pooled = [judged for found in by_seed.values() for judged in found]
        lines += ["", *_reliability("over all seeds", pooled), "", *_agreement(by_seed)]
    if rivals:
        keys = ("top1", "any_hit", "false_accusations", "cost")
        lines += ["", _row("peer (cost: times the user's run)", keys)]
        lines += [_row(name, [f"{found[key]:.2f}" for key in keys]) for name, found in rivals.items()]
    missed = score.failures(by_seed)
    lines += ["", "below the bars: " + "; ".join(missed) if missed else "all bars reached"]
    return "\n".join(lines)


def _reliability(title: str, results: Sequence[Judged]) -> list[str]:
    pairs = score.probabilities(results)
    return [
        f"{title}: number, mean stated, share true (calibration error {score.calibration_error(pairs):.3f})",
        *(
            f"  {low:.1f}-{high:.1f}: {n:4d}  {p:.2f}  {y:.2f}"
            for low, high, n, p, y in score.reliability(pairs)
        ),
    ]


def _agreement(by_seed: Mapping[int, Sequence[Judged]]) -> list[str]:
    """Returns how many cases have the same first cause under each further seed, and which have not."""
    (first, results), *others = by_seed.items()
    lines = []
    for seed, other in others:
        share = score.same_primary(results, other)
        lines.append(f"same first cause under seeds {first} and {seed}: {share:.3f} of {len(other)} cases")
        lines += [
            f"  {one.case.name}: {' '.join(one.named[:1]) or '-'} and {' '.join(two.named[:1]) or '-'}"
            for one, two in zip(results, other, strict=True)
            if one.named[:1] != two.named[:1]
        ]
    return lines


def markdown(results: Sequence[Judged], measured: Mapping[str, Any], text: str) -> str:
    """Returns the page for docs/: every case beside its truth, and the tables as `summary` printed them.

    Args:
        results: the judged cases.
        measured: truth.json.
        text: what `summary` returned.
    """
    rows = [_case(judged, measured.get(judged.case.name, {})) for judged in results]
    head = "| | case | recipe → best | truth: gain of removing what was planted | named | cost |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows, "", "```", text, "```", ""])


def _case(judged: Judged, truth: Mapping[str, Any]) -> str:
    verified = judged.answer["summary"]["verified"]
    named = ", ".join(_gain(c["cause"], c["effect"], *c["ci"]) for c in judged.answer["summary"]["causes"])
    effects = truth.get("effects", {})
    known = sorted(judged.truth.causes | judged.case.planted)
    true = ", ".join(
        _gain(name, *effects[name]) if name in effects else f"{name} (planted)" for name in known
    )
    return (
        f"| {'✓' if judged.is_right else '✗'} | {judged.case.name} | {verified['before']:.2f} → "
        f"{verified['after']:.2f} | {true or '–'} | {named or '–'} | {judged.cost_ratio:.1f} |"
    )


def _gain(name: str, mean: float, low: float, high: float) -> str:
    return f"{name} {100 * mean:+.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def _numbers(name: str, found: Mapping[str, float]) -> str:
    return _row(
        name,
        [
            f"{found[key]:.0f}" if key in ("cases", "false_accusations") else f"{found[key]:.2f}"
            for key in COLUMNS
        ],
    )


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:34}" + "".join(f"{cell:>19}" for cell in cells)
