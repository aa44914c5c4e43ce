"""MLflow as people run it: a tracking server on PostgreSQL, artifacts in an S3 bucket, all on loopback."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

ATTENDED = Path(__file__).with_name("attended.py")
PATIENCE_S = 300.0
STOPPING_S = 20.0  # more than the attendant waits before it kills
BUCKET = "plateau"
NO_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # four more processes, for what is not used here
PACKAGES = {"psycopg": "psycopg[binary]", "moto": "moto", "boto3": "boto3", "dvc_s3": "dvc-s3"}


def missing() -> str | None:
    """Returns why the servers cannot be started here, or None."""
    if postgres_binaries() is None:
        return "no PostgreSQL server (Debian: apt-get install postgresql)"
    absent = [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]
    return f"not installed: {', '.join(absent)} (make setup-server)" if absent else None


def postgres_binaries() -> Path | None:
    """Returns the folder with `postgres` and `initdb`, which Debian keeps off the PATH."""
    named = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parts[-2]))
    folders = [*([Path(named).resolve().parent] if named else []), *reversed(debian)]
    return next((folder for folder in folders if (folder / "pg_isready").exists()), None)


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Returns whether an HTTP server says anything but that it failed."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


@dataclass
class Server:
    """A process that listens on a port of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    user: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    pid: int = 0

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    @property
    def log(self) -> Path:
        return self.folder / f"{type(self).__name__}.log"

    def start(self) -> None:
        """Starts the server and waits until it answers; one that ends at once is started again."""
        end = time.monotonic() + PATIENCE_S
        while not self._has_started(end):
            assert time.monotonic() < end, (
                f"{self.command()} does not answer:\n{self.log.read_text()[-3000:]}"
            )

    def _has_started(self, end: float) -> bool:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ATTENDED), self.user, *self.command()], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **self.environment},
            )  # fmt: skip
        self.pid = int(self.process.stdout.readline())
        while not self.is_ready() and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        return self.process.poll() is None and self.is_ready()

    def stop(self) -> None:
        """Ends the server: politely, then not.

        By signals: what a test has forked since holds the other end of the attendant's stdin as well, so that
        closing ours need not tell it anything.
        """
        for number in (signal.SIGINT, signal.SIGKILL):
            if self.process is None or self.process.poll() is not None:
                return
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.pid, number)
                self.process.wait(STOPPING_S)

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        while self.is_ready():
            time.sleep(0.05)


S = TypeVar("S", bound=Server)


@dataclass
class Postgres(Server):
    """PostgreSQL, as a user of its own where the tests run as root, which PostgreSQL refuses."""

    user: str = "postgres" if os.geteuid() == 0 else ""
    # Not below `folder`: pytest's folders are their owner's alone.
    data: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="plateau-postgres-")))

    def __post_init__(self) -> None:
        if self.user:
            os.chown(self.data, pwd.getpwnam(self.user).pw_uid, -1)
        self._run(
            "initdb", "-D", str(self.data), "-U", "plateau", "--auth=trust", "--encoding=UTF8", "--no-sync"
        )

    def create(self, database: str) -> str:
        """Returns the address of a new database."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "plateau", database)
        return f"postgresql://plateau:not-a-secret@127.0.0.1:{self.port}/{database}"

    def command(self) -> list[str]:
        place = ["-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.data)]
        return [str(postgres_binaries() / "postgres"), *place]

    def is_ready(self) -> bool:
        asked = [str(postgres_binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        rights: dict[str, Any] = (
            {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        )
        subprocess.run(
            [str(postgres_binaries() / program), *arguments],
            check=True,
            cwd=self.data,
            capture_output=True,
            **rights,
        )


class Bucket(Server):
    """An S3 server with one bucket; it forgets everything when it ends."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """Returns what boto3 and s3fs read from the environment."""
        keys = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "a-secret"}
        return {**keys, "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}

    def command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-p", str(self.port)]

    def is_ready(self) -> bool:
        return answers(self.url)

    def client(self) -> Any:
        """Returns boto3's client."""
        import boto3

        keys = self.credentials
        return boto3.client(
            "s3", endpoint_url=self.url, region_name=keys["AWS_DEFAULT_REGION"],
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"], aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

    def create(self) -> None:
        """Makes the bucket, which a new server lacks."""
        self.client().create_bucket(Bucket=BUCKET)

    def names(self, prefix: str = "") -> list[str]:
        """Returns the names of the objects."""
        found = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for page in found for item in page.get("Contents", [])]


@dataclass
class TrackingServer(Server):
    """`mlflow server`."""

    backend: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        stores = ["--backend-store-uri", self.backend, "--artifacts-destination", f"s3://{BUCKET}/mlflow"]
        return [sys.executable, "-m", "mlflow", "server", *place, *stores]

    def is_ready(self) -> bool:
        return answers(f"{self.url}/health")


@dataclass
class Stack:
    """The three of them."""

    postgres: Postgres
    bucket: Bucket
    mlflow: TrackingServer

    @property
    def url(self) -> str:
        """Returns what MLFLOW_TRACKING_URI has to be."""
        return self.mlflow.url

    def client(self) -> Any:
        """Returns MLflow's client."""
        import mlflow

        return mlflow.MlflowClient(self.url)


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Yields the servers, started; logs go to the folder, all else goes when they end."""
    with ExitStack() as end:
        postgres = Postgres(folder)
        end.callback(shutil.rmtree, postgres.data)
        backend = started(postgres, end).create("mlflow")
        bucket = started(Bucket(folder), end)
        bucket.create()
        environment = {**bucket.credentials, "MLFLOW_S3_ENDPOINT_URL": bucket.url, **NO_JOBS}
        yield Stack(
            postgres, bucket, started(TrackingServer(folder, environment=environment, backend=backend), end)
        )


def started(server: S, end: ExitStack) -> S:
    """Returns the server, which will be stopped with the others."""
    end.callback(server.stop)
    server.start()
    return server
