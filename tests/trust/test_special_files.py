"""What somebody names is a regular file, or refused at once: a pipe would wait for ever, a device has no end."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pyrage
import pytest

from reconciler.model.errors import StateError, SurroundingsError
from reconciler.remote.network import Network
from reconciler.store.encryption import Seal
from reconciler.store.reading import read_regular
from tests.cli.test_surroundings import URL
from tests.world import World

COMMANDS = [
    "emulator behave {}",
    "show {}", "apply {}", "plan --against {}", "replay {}", "compare demo {}", "state push {}", "policy test {}",
    "plan --target @{}", "plan --guards-from file:{}", "plan --out {}", "snapshot --out {}",
]  # fmt: skip


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "/proc/self/environ"])
def test_no_command_waits_for_what_is_no_regular_file(world: World, name: str) -> None:
    """Each ends with an error, and none with a mistake in the program."""
    os.mkfifo(world.folder / "pipe")
    world.write("tags: {a: {}}")
    for command in COMMANDS:
        if name != "pipe" and "--out" in command:
            continue
        path = name if name.startswith("/") else str(world.folder / name)
        ran = world.cli(*command.format(path).split())
        assert ran.code not in (0, 2) or "--out" in command, command
        assert "mistake in the program" not in ran.text, command
        assert "Traceback" not in ran.text, command


def test_a_file_is_read_in_the_memory_that_it_takes(tmp_path: Path) -> None:
    """Not in that of the largest that is ever read; a byte more than asked for is too large."""
    path = tmp_path / "small"
    path.write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert read_regular(path) == b"x" * 1000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert read_regular(path, 1000) == b"x" * 1000
    with pytest.raises(OSError, match="too large"):
        read_regular(path, 999)


def test_an_identity_is_in_a_regular_file(tmp_path: Path) -> None:
    """The variable's file is named."""
    os.mkfifo(tmp_path / "pipe")
    seal = Seal((), {"RECONCILER_AGE_IDENTITY_FILE": str(tmp_path / "pipe")})
    whole = Seal((str(pyrage.x25519.Identity.generate().to_public()),)).close(b"{}")
    with pytest.raises(StateError, match="pipe cannot be read: it is not a regular file"):
        seal.open(whole, "the plan")


def test_certificates_are_in_a_regular_file(tmp_path: Path) -> None:
    """Before OpenSSL opens it, for that would wait."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SurroundingsError, match="SSL_CERT_FILE"):
        Network.of(URL, {"SSL_CERT_FILE": str(tmp_path / "pipe")})


@pytest.mark.parametrize("shown", ["/proc/self/environ", "/proc/self/cmdline", "/sys/kernel/uevent_seqnum"])
def test_what_the_kernel_shows_is_no_file(tmp_path: Path, shown: str) -> None:
    """It says of itself that it is a regular one; a link leads to it as well."""
    (tmp_path / "link").symlink_to(shown)
    for path in (shown, tmp_path / "link"):
        with pytest.raises(OSError, match=r"not a regular file|No such file"):
            read_regular(path)


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """And no further."""
    (tmp_path / "f").write_bytes(b"x" * 11)
    assert read_regular(tmp_path / "f", 11) == b"x" * 11
    with pytest.raises(OSError, match="too large"):
        read_regular(tmp_path / "f", 10)
