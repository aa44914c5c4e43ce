"""Check all of params.yaml before anything heavy starts.

Writes data/params.ok, whose content never changes: the other stages wait for it and run again only
when something changed that they read.
"""

from pathlib import Path

from plateau_cause import artifacts
from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    params.load()
    artifacts.write_text(Path("data/params.ok"), "params.yaml is valid\n")


if __name__ == "__main__":
    cli.stage(main)
