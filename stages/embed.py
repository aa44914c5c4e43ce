"""The frozen backbone's features of every view, and what its batch-norm layers see."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("embed")
