"""Every backend as a fixture: a URL of a state that does not exist yet."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.model.ports import LockInfo
from reconciler.store import Clock, StoreOptions, open_store
from reconciler.store.documents import DocumentStore
from tests.store.gcs_server import TOKEN, Gcs, gcs
from tests.store.http_backend import Backend, http_backend
from tests.store.servers import (
    AZURE_ACCOUNT,
    AZURE_KEY,
    azurite,
    make_bucket,
    make_container,
    moto,
    postgresql,
    seaweedfs,
)

BACKENDS = ["file", "sqlite", "s3-moto", "s3-seaweedfs", "gs", "az", "postgresql", "http", "gitlab"]
_numbers = itertools.count(1)


@dataclass
class Watch:
    """A clock that tests move: both the wall clock and the steady one, in seconds."""

    now: float = 1_800_000_000.0
    steady: float = 1_000.0
    on_sleep: Callable[[], None] = lambda: None
    dead: Callable[[str], bool] = lambda process: False

    def clock(self, *, beat: bool = False) -> Clock:
        return Clock(lambda: self.now, lambda: self.steady, self.sleep, beat, dead=self.is_dead)

    def is_dead(self, process: str) -> bool:
        return self.dead(process)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        self.on_sleep()

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.steady += seconds


@dataclass
class Place:
    """Where a state may be kept. `open` returns a store of its own, as another process would."""

    name: str
    url: str
    folder: Path
    watch: Watch = field(default_factory=Watch)
    opened: list[DocumentStore] = field(default_factory=list)

    @property
    def leases(self) -> bool:
        """Whether a lock ends by itself when its holder stops renewing it."""
        return self.name not in ("http", "gitlab")

    def open(
        self,
        *,
        history: int = 20,
        recipients: tuple[str, ...] = (),
        tell: Callable[[str, float], None] = lambda reason, seconds: None,
        **environ: str,
    ) -> DocumentStore:
        settings = {"TF_HTTP_USERNAME": "ci", "TF_HTTP_PASSWORD": "pw"} if self.name == "gitlab" else {}
        options = StoreOptions("prod", recipients, history, {**settings, **environ}, self.watch.clock(), tell=tell)
        store = open_store(self.url, self.folder, options)
        self.opened.append(store)
        return store


def info(name: str = "one", operation: str = "apply") -> LockInfo:
    """A lock of somebody on another machine."""
    return LockInfo(f"id-{name}", name, "host", 7, "2026-11-24T10:00:00Z", operation)


@pytest.fixture(scope="session")
def moto_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """S3 by moto."""
    with moto(tmp_path_factory.mktemp("moto")) as endpoint:
        make_bucket(endpoint, "states")
        yield endpoint


@pytest.fixture(scope="session")
def weed_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """S3 by SeaweedFS."""
    with seaweedfs(tmp_path_factory.mktemp("weed")) as endpoint:
        make_bucket(endpoint, "states")
        yield endpoint


@pytest.fixture(scope="session")
def azure_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azure's blobs by Azurite."""
    with azurite(tmp_path_factory.mktemp("azurite")) as endpoint:
        make_container(endpoint, "states")
        yield endpoint


@pytest.fixture
def gcs_server() -> Iterator[Gcs]:
    """Google Cloud Storage."""
    with gcs("states") as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL database."""
    with postgresql() as url:
        yield url


@pytest.fixture
def http_server() -> Iterator[Backend]:
    """An http backend."""
    with http_backend() as backend:
        yield backend


def place_of(name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a new place of a backend, starting its server if need be."""
    unique = f"prod-{os.getpid()}-{next(_numbers)}"
    if name.startswith("s3"):
        endpoint = request.getfixturevalue("moto_endpoint" if name == "s3-moto" else "weed_endpoint")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        return Place(name, f"s3://states/{unique}.json?endpoint={endpoint}&region=us-east-1", tmp_path)
    if name == "gs":
        monkeypatch.setenv("GOOGLE_BEARER_TOKEN", TOKEN)
        return Place(name, f"gs://states/{unique}.json?endpoint={request.getfixturevalue('gcs_server').url}", tmp_path)
    if name == "az":
        endpoint = request.getfixturevalue("azure_endpoint")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
        return Place(name, f"az://states/{unique}.json?account_name={AZURE_ACCOUNT}&endpoint={endpoint}", tmp_path)
    if name == "postgresql":
        return Place(name, f"{request.getfixturevalue('postgresql_url')}?state={unique}", tmp_path)
    if name in ("http", "gitlab"):
        backend = request.getfixturevalue("http_server")
        if name == "gitlab":
            backend.password = "pw"
            return Place(name, f"{backend.url}/api/v4/projects/7/terraform/state/{unique}", tmp_path)
        return Place(name, f"{backend.url}/states/{unique}", tmp_path)
    return Place(name, f"{name}:state/{unique}.json", tmp_path)


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place for a state in each backend."""
    made = place_of(request.param, request, tmp_path, monkeypatch)
    yield made
    for store in made.opened:
        store.close()
