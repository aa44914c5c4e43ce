"""Swap the factors in which the arms differ, test what the data may lack."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("intervene")
