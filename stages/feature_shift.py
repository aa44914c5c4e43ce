"""Probes, two-sample tests, label noise, learning curve and the joint picture."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("feature_shift")
