"""What the stages before training take of memory and time, for 10,000, 100,000 and 1,000,000 images.

    python -m benchmarks.scale --images 10000 100000     # a Markdown table; --folder keeps what was made

Images are made from their number alone and written as Parquet shards of JPEG files. Each stage runs in a
process of its own, as DVC runs it. Memory is told twice: "own" is what a process allocated (RssAnon, looked
at every 20 ms) and has to fit the machine; "resident" also counts pages of mapped files and libraries, which
the system drops when others need them. "own" may grow by a fifth at most where images grow tenfold.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

STAGES = ("check", "prepare_data", "dataset_stats", "embed", "feature_shift")
CLASSES, PER_SHARD, STORED_PX, SIZE_PX = 10, 20_000, 16, 32
TWIN = 250  # each such image is the one before it, saved once more: a near duplicate
LOOK_S = 0.02
MOST_GROWTH = 1.2  # of own memory, at ten times the images
RUN = "from plateau_cause.pipeline.entry import run_stage; run_stage({!r})"
SOURCE = Path(__file__).parents[1] / "src"


@dataclass(frozen=True)
class Measured:
    """One stage: images, seconds, MiB that it allocated at most, MiB that were resident at most."""

    images: int
    stage: str
    seconds: float
    own: float
    resident: float


def picture(number: int) -> bytes:
    """Returns a smooth random picture with the colour of its class, as JPEG."""
    is_twin = number % TWIN == TWIN - 1
    random = np.random.default_rng(number - is_twin)
    small = random.integers(0, 200, (5, 5, 3))
    small[..., (number - is_twin) % 3] += 5 * ((number - is_twin) % CLASSES)
    image = Image.fromarray(small.astype(np.uint8)).resize((STORED_PX, STORED_PX), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92 if is_twin else 97, subsampling=0)
    return buffer.getvalue()


def make(folder: Path, images: int) -> None:
    """Writes the shards."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    for start in range(0, images, PER_SHARD):
        numbers = range(start, min(start + PER_SHARD, images))
        labels = [f"class {(n - (n % TWIN == TWIN - 1)) % CLASSES}" for n in numbers]
        table = pa.table({"image": [picture(n) for n in numbers], "label": labels})
        pq.write_table(table, folder / f"{start // PER_SHARD:05d}.parquet", write_batch_size=64)


def run(folder: Path, images: int) -> list[Measured]:
    """Returns what each stage took on so many images, made in the folder."""
    if not (folder / "shards").exists():
        make(folder / "shards", images)
    given = {
        "data": {"source": "table", "path": "shards", "stored_size": STORED_PX},
        "backbone": {"name": "test_resnet", "weights": "none"},
        "recipe": {"preprocessing": {"size": SIZE_PX}},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(given))
    return [measured(folder, stage, images) for stage in STAGES]


def measured(folder: Path, stage: str, images: int) -> Measured:
    """Returns what one stage took."""
    paths = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths, "PLATEAU_TRACKING": "off", "OMP_WAIT_POLICY": "PASSIVE"}
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", RUN.format(stage)], cwd=folder, env=environment) as process:
        peaks = {"RssAnon": 0, "VmHWM": 0}
        watch = threading.Thread(target=_watch, args=(process, peaks))
        watch.start()
        watch.join()
    if process.returncode:
        sys.exit(f"{stage} of {images} images: exit status {process.returncode}")
    seconds = time.perf_counter() - started
    return Measured(images, stage, seconds, peaks["RssAnon"] / 1024, peaks["VmHWM"] / 1024)


def _watch(process: subprocess.Popen[bytes], peaks: dict[str, int]) -> None:
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            return
        for name in peaks:
            found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
            peaks[name] = max(peaks[name], int(found[1]) if found else 0)
        time.sleep(LOOK_S)


def table(rows: Sequence[Measured]) -> str:
    """Returns Markdown: a line per stage and number of images, and the growth of own memory."""
    lines = ["| stage | images | seconds | own, MiB | resident, MiB | own, times the one before |"]
    lines += ["|---|---|---|---|---|---|"]
    for stage in STAGES:
        before = None
        for row in (row for row in rows if row.stage == stage):
            growth = "" if before is None else f"{row.own / before.own:.2f}"
            memory = f"{row.own:.0f} | {row.resident:.0f}"
            lines.append(f"| {stage} | {row.images:,} | {row.seconds:.1f} | {memory} | {growth} |")
            before = row
    return "\n".join(lines)


def grown(rows: Sequence[Measured]) -> list[str]:
    """Returns the stages whose own memory grew by more than MOST_GROWTH."""
    pairs = [(one, other) for one in rows for other in rows if one.stage == other.stage]
    tenfold = [(one, other) for one, other in pairs if other.images == 10 * one.images]
    return [f"{b.stage} {b.images:,}" for a, b in tenfold if b.own > MOST_GROWTH * a.own]


def main() -> None:
    """Prints the table; exit status 1 where memory grows with the images."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument(
        "--folder", type=Path, help="where everything is made, left, and used again; none: it is removed"
    )
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="scale-", dir="."))
    rows: list[Measured] = []
    try:
        for images in given.images:
            place = folder.resolve() / str(images)
            rows += run(place, images)
            (place / "measured.json").write_text(
                json.dumps([asdict(row) for row in rows if row.images == images])
            )
            print(table(rows), flush=True)
            if given.folder is None:
                shutil.rmtree(place)
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    if found := grown(rows):
        sys.exit(f"own memory grew by more than a fifth: {', '.join(found)}")


if __name__ == "__main__":
    main()
