"""Train one arm: recipe, as it stands, or reference, which it is compared with."""

import sys

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("finetune", *sys.argv[1:])
