"""Write down what the other stages start from, so that each runs again only when that changes."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("plan")
