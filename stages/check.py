"""Check all of params.yaml before anything heavy starts."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("check")
