"""The fault suite: every case through the whole diagnosis, beside the truth and the field's rules.

python -m benchmarks.diagnosis.run [--cases 'drawings*'] [--seeds 0 1] [--jobs 2] [--fresh] [--no-peers]

What is finished is kept in .plateau/suite by content: a killed run goes on, a changed tool diagnoses again.
The table is the first seed's; further seeds say how often the answer stays the same. Exit status 1 below the
bars of `score.BARS`.
"""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plateau_cause import artifacts, runtime

WORK = Path(".plateau/suite")
TRUTH = Path(__file__).parent / "truth.json"


def main() -> int:
    """Runs the chosen cases, prints a line each and the table; returns the exit status."""
    arguments = _arguments()
    runtime.set_up_threads()
    from benchmarks.diagnosis import cases, diagnose, peers, pretrain, score, table, workers

    if pretrain.SEED in arguments.seeds:  # a new head would be the very one that a backbone has learned with
        wrong = f"{pretrain.SEED} pretrained the backbones; allowed: any other"
        print(f"error: --seeds: {wrong}", file=sys.stderr)
        return 2
    if arguments.fresh:
        shutil.rmtree(WORK / "cases", ignore_errors=True)
        shutil.rmtree(WORK / "runs", ignore_errors=True)
    measured = artifacts.read_json(TRUTH) if TRUTH.exists() else {}
    chosen = [
        case
        for case in cases.CASES
        if any(fnmatch.fnmatch(case.name, pattern) for pattern in arguments.cases)
    ]
    by_seed = {}
    for seed in arguments.seeds:
        for case in chosen:  # images and tables, before anyone needs them twice at once
            diagnose.parameters(case, WORK, seed)
        answers = workers.spread(diagnose.diagnose_all, workers.groups(chosen), arguments.jobs, WORK, seed)
        by_seed[seed] = [
            score.judge(case, answers[case.name], score.truth_of(case, measured)) for case in chosen
        ]
    results = by_seed[arguments.seeds[0]]
    print("\n".join(table.line(judged) for judged in results))
    rivals = {} if arguments.no_peers else peers.judge_all(results, WORK)
    text = table.summary(by_seed, rivals)
    print("\n" + text)
    if arguments.page:
        artifacts.write_text(arguments.page, table.markdown(results, measured, text))
    _save(by_seed, arguments.cases)
    return 0 if score.passes(by_seed) else 1


def _save(by_seed: Mapping[int, list[Any]], patterns: list[str]) -> None:
    rows = [
        {"case": judged.case.name, "seed": seed, "truth": sorted(judged.truth.causes), **judged.answer}
        for seed, results in by_seed.items()
        for judged in results
    ]
    artifacts.write_json(WORK / "results.json", {"patterns": patterns, "cases": rows})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=["*"], help="shell patterns of case names")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], help="diagnosis.seeds, one run of all each"
    )
    parser.add_argument(
        "--jobs", type=int, default=runtime.available_cpus(), help="cases at a time, one CPU each"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what is finished")
    parser.add_argument("--page", type=Path, help="write the results as Markdown too")
    parser.add_argument("--no-peers", action="store_true", help="leave the other tools' rules out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
