"""Write down what each arm is built from: the reference arm must not train again when the recipe changes.

Reads params.yaml and the user's code; writes data/inputs/<arm>.json.
"""

from pathlib import Path

from plateau import artifacts, cli, params


def main() -> None:
    given = params.load()
    for arm in params.ARMS:
        artifacts.write_json(Path(f"data/inputs/{arm}.json"), params.arm_inputs(given, arm))


if __name__ == "__main__":
    cli.stage(main)
