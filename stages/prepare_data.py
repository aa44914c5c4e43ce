"""Read the user's images once, decode them once, split them."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("prepare_data")
