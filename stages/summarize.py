"""Compare the runs, attribute the plateau, write the reports."""

from plateau_cause.pipeline.entry import run_stage

if __name__ == "__main__":
    run_stage("summarize")
