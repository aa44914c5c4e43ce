"""Write down what the other stages start from, so that each runs again only when that changes.

Reads params.yaml and the user's code; writes data/inputs/<arm>.json (the reference arm must not train again
when the recipe changes) and data/watched/: links to the user's images, which DVC follows, or a note where
there are none, such as for a data set of a hub.
"""

from pathlib import Path

from plateau_cause import artifacts
from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    from plateau_cause.images import sources

    given = params.load()
    for arm in params.ARMS:
        artifacts.write_json(Path(f"data/inputs/{arm}.json"), params.arm_inputs(given, arm))
    for key, data in (("data", given.data), ("reference_data", given.reference_data)):
        found = sources.local_files(data, key) if data else None
        artifacts.write_link(Path(f"data/watched/{key}"), found)


if __name__ == "__main__":
    cli.stage(main)
