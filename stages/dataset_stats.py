"""Class balance, sizes, colours, duplicates, leakage between splits."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("dataset_stats")
