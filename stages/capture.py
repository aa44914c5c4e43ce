"""What the training script really does, and what could be changed in it; nothing without a script."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("capture")
