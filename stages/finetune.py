"""Stage finetune@<arm>: train the recipe as it stands, or the reference that it is compared with."""

import sys
from pathlib import Path

from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Reads data/prepared and data/features; writes data/arms/<arm>, curves and metrics."""
    from plateau_cause import tracking
    from plateau_cause.pipeline import arm_files, bench

    arm = sys.argv[1]
    given = params.load()
    lab, rates = bench.open_laboratory(given, Path("."))
    with tracking.stage_run(given, "finetune", arm, given.diagnosis.seeds[0]) as run:
        found = bench.train_arm(lab, rates, given, arm)
        arm_files.write(Path("."), arm, lab, found, rates.seconds)
        arm_files.track(run, lab, found)


if __name__ == "__main__":
    cli.stage(main)
