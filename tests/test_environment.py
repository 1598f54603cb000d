"""The tests' own surroundings: offline, neutral environment, temporary home."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import required
from tests.conftest import heed, inherited
from tests.network_guard import NetworkBlocked, is_local


@pytest.mark.parametrize("host", ["example.com", b"example.com", "93.184.216.34", "2606:2800:220::1", "10.0.0.1"])
def test_names_and_addresses_elsewhere_are_refused(host: str | bytes) -> None:
    """Resolving any name or address that is not this machine fails, before anything is sent."""
    with pytest.raises(NetworkBlocked):
        socket.getaddrinfo(host, 443)


def test_connections_elsewhere_are_refused() -> None:
    """A socket cannot connect to another machine, asyncio's sockets included."""
    with socket.socket() as plain, pytest.raises(NetworkBlocked):
        plain.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkBlocked):
        asyncio.run(asyncio.open_connection("192.0.2.1", 80))


def test_this_machine_can_be_reached() -> None:
    """Servers on the loopback interface work."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@given(st.integers(0, 2**24 - 1))
def test_the_whole_loopback_range_is_local(number: int) -> None:
    """All of 127.0.0.0/8 is this machine."""
    assert is_local(f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}")


def test_the_callers_environment_is_hidden() -> None:
    """Nothing of the caller's shell reaches the code under test, and HOME is temporary."""
    assert list(filter(inherited, os.environ)) == []
    assert Path.home().name == "home"


def test_what_the_program_reads_of_its_environment_is_hidden(project_root: Path) -> None:
    """A variable that the program looks up by name changes no test, whatever the shell has it say."""
    sources = [path.read_text("utf-8") for path in (project_root / "reconciler").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', text)}
    assert len(read) > 30
    assert [name for name in sorted(read - {"PATH", "HOME"}) if not inherited(name)] == []


@pytest.mark.parametrize("name", [
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "PGHOST", "PGOPTIONS", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3",
    "AZURE_STORAGE_USE_EMULATOR", "GOOGLE_APPLICATION_CREDENTIALS", "SSL_CERT_FILE", "DBOS_SYSTEM_DATABASE_URL",
])  # fmt: skip
def test_what_git_and_libraries_read_is_hidden(name: str) -> None:
    """With the `GIT_DIR` of a hook, tests would write their commits into the clone of the user who runs them."""
    assert inherited(name)


@pytest.mark.parametrize(
    "name", ["PATH", "TMPDIR", "HYPOTHESIS_PROFILE", "UPDATE_GOLDEN", "READINGS", "PYTEST_ADDOPTS"]
)
def test_what_tests_are_run_with_is_not_hidden(name: str) -> None:
    """Where programs are, and what the user asks of the tests, stays."""
    assert not inherited(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_the_run_ignores_is_heeded_by_children(number: signal.Signals) -> None:
    """Under `nohup`, and behind `&` in a script, tests of signals see what they see in a terminal; the run goes on."""
    ask = [sys.executable, "-I", "-S", "-c", f"import signal; print(signal.getsignal({number}) == signal.SIG_IGN)"]
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "True\n"
        heed(number)
        assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "False\n"
        os.kill(os.getpid(), number)
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize(("in_ci", "outcome"), [(True, pytest.fail.Exception), (False, pytest.skip.Exception)])
def test_what_is_absent_fails_in_ci(monkeypatch: pytest.MonkeyPatch, in_ci: bool, outcome: type[Exception]) -> None:
    """A program that CI must have and has not fails the test there; elsewhere it is skipped, and says why."""
    monkeypatch.setattr(required, "IN_CI", in_ci)
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception), match="no node") as raised:
        required.absent("no node")
    assert raised.errisinstance(outcome)


def test_only_one_module_asks_whether_a_ci_runs_the_tests() -> None:
    """Fixtures hide `CI`, so that a test which asks for it itself skips in CI what CI has to run."""
    asking = ('environ.get("CI")', 'environ["CI"]', 'getenv("CI")')
    sources = {path: path.read_text("utf-8") for path in Path(__file__).parent.rglob("*.py") if path != Path(__file__)}
    assert [path.name for path, text in sources.items() if any(one in text for one in asking)] == ["required.py"]
