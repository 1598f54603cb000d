"""Fixtures for every test: no network, a neutral environment, hypothesis profiles, the vendor's contract."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import network_guard
from tests.contract.checker import Contract, vendor_contract
from tests.contract.watch import ADVICE, watched
from tests.loaded import loaded
from tests.required import IN_CI
from tests.world import World, new_world, readings

_INHERITED_PREFIXES = (
    "AC_", "RECONCILER_", "XDG_", "GITHUB_", "GITLAB_", "CI_", "COMP_",  # the program's own, and of CI and shells
    "AWS_", "AZURE_", "GOOGLE_", "PG", "SSL_", "TF_HTTP_", "OTEL_", "DBOS_",  # of what keeps a state, and of a fleet
    "GIT_",  # as hooks set them: the tests' commits would go into the clone of whoever runs them
)  # fmt: skip
_INHERITED_NAMES = {
    "CI", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TERM", "COLORTERM", "PAGER",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "LESS", "REQUEST_METHOD", "SSLKEYLOGFILE", "LANGUAGE",
}  # fmt: skip


def inherited(name: str) -> bool:
    """Return whether a variable of the caller's shell would change what the code under test does."""
    return name in _INHERITED_NAMES or name.startswith(_INHERITED_PREFIXES)


# Times are not asserted: two cores may be shared with anything.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile(
    "ci", deadline=None, derandomize=True, database=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("prove", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))

_TESTS = Path(__file__).parent
network_guard.install()
# Projects, states and servers of tests are small and written often: in memory where there is room, as on most machines.
_MEMORY = Path("/dev/shm")
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
gc.set_threshold(200_000, 50, 100)  # as the program does; tests run it in this process


@pytest.hookimpl(optionalhook=True)  # the quick loop runs without pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than processors: tests of real processes wait for them, and leave a processor idle meanwhile."""
    return (os.cpu_count() or 1) + 2


def pytest_sessionstart(session: pytest.Session) -> None:
    """Let each worker of a whole run import other modules first: where none is compiled yet, they share that work."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if workers and session.config.args == session.config.getini("testpaths"):
        modules = [path.relative_to(session.config.rootpath) for path in sorted(_TESTS.rglob("test_*.py"))]
        first = len(modules) * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) // workers
        for path in modules[first:] + modules[:first]:
            with contextlib.suppress(Exception, pytest.skip.Exception):  # collecting it says what is wrong
                importlib.import_module(".".join(path.with_suffix("").parts))


def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Make no cases of a long suite where the run leaves them out: they are about as many as all others."""
    long = any(mark.name == "prove" for mark in (*getattr(obj, "pytestmark", ()), *collector.iter_markers()))
    return [] if long and collector.config.option.markexpr == "not prove" else None


def pytest_collection_finish() -> None:
    """Keep modules and collected tests out of what tests search for garbage after a killed run: it is most of all."""
    gc.freeze()


def pytest_report_header() -> str:
    """Say which reading of contradictory sources the accounts of this run take, so that it can be repeated."""
    return f"readings: {readings.SEED}={readings.seed()} {readings.reading()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what tests recorded about themselves, such as how many cases a matrix had."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session", autouse=True)
def _neutral_servers() -> Iterator[None]:
    """Hide the same from what is begun once for many tests, such as a PostgreSQL server and what waits for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(inherited, list(os.environ)):
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _neutral_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hide the caller's home, accounts, terminal, proxies and CI from the code under test."""
    for name in filter(inherited, list(os.environ)):
        monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def heed(*numbers: signal.Signals) -> None:
    """Let children meet signals as a program in a terminal does, also where this run was told to ignore them (`nohup`,
    or `&` in a script): what is ignored is inherited, what has a handler is not. This process goes on ignoring them.
    """
    for number in numbers:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda number, frame: None)


@pytest.fixture(scope="session", autouse=True)
def _heeded_signals() -> None:
    """Do so only where tests run: the process that hands them out outlives its terminal as it was told to."""
    heed(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C reach the program under test in this process as it does in a terminal, however the run was begun."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _on_contract(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check every request that the product sends in any test against what the vendor documents."""
    with watched() as problems:
        yield
    if request.node.get_closest_marker("off_contract") is None:
        assert not problems, "\n".join([ADVICE, *problems])


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a CI runs the tests: there, a missing tool fails a test that would be skipped elsewhere."""
    return IN_CI


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a `reconciler` that starts at once, for a PATH; all workers share the process behind it."""
    shared = tmp_path_factory.getbasetemp()
    with loaded((shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "loaded") as folder:
        yield folder


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the clone."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def api_contract() -> Contract:
    """What the vendor documents; `api_contract.check_request(method, path, query, body)` lists a request's problems."""
    return vendor_contract()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A project in a folder with an emulated account of its own, see `tests.world`."""
    with new_world(tmp_path / "project") as made:
        yield made
