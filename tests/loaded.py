"""The program, imported once for all tests that start it: each start is a fork of a process that has it loaded.

A folder holds a `reconciler` to be put into a PATH. It hands its arguments, folder, variables, streams, umask, and the
signals that it is told to ignore to the loaded program, whose fork goes on as a program that was started with them, and
ends as that one ends; signals go the same way. Where a fork would differ from a start (other encodings, variables of
Python), it starts the program. `tests/test_loaded.py` compares both.

This file is run as the loaded program too: `python -P tests/loaded.py SOCKET`.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import marshal
import os
import pkgutil
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
CLIENT = """\
#!{python} -IS
import _signal, _socket, marshal, posix, sys

def start():
    posix.execv({python!r}, [{python!r}, {program!r}, *sys.argv[1:]])

environ = {{name.decode("utf-8", "surrogateescape"): value.decode("utf-8", "surrogateescape")
           for name, value in posix.environ.items()}}
plain = ("", "C", "POSIX", "C.UTF-8")
if any(environ.get(name, "") not in plain for name in ("LC_ALL", "LC_CTYPE", "LANG")) or any(
    name.startswith("PYTHON") and name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED") for name in environ
):
    start()
try:
    for number in range(3):
        posix.fstat(number)
    loaded = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    loaded.connect({socket!r})
except OSError:
    start()
umask = posix.umask(0)
posix.umask(umask)
ignored = [number for number in {signals} if _signal.getsignal(number) == _signal.SIG_IGN]
content = marshal.dumps((sys.argv, posix.getcwd(), environ, umask, ignored))
for number in {signals}:
    if number not in ignored:
        _signal.signal(number, lambda number, frame: loaded.send(bytes([number])))
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
content = len(content).to_bytes(8, "big") + content
sent = loaded.sendmsg([content], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
loaded.sendall(content[sent:])
status = loaded.recv(4)
if len(status) < 4:
    posix.write(2, b"the loaded program is gone\\n")
    posix._exit(99)
code = int.from_bytes(status, "big", signed=True)
if code < 0:
    if -code in {signals}:
        _signal.signal(-code, _signal.SIG_DFL)
    posix.kill(posix.getpid(), -code)
posix._exit(code)
"""
"""Needs no module that is not built into Python: it is there in ten milliseconds."""
KEPT = b"keep"


class _Server:
    """Forks for those who ask, for as long as anybody keeps it."""

    def __init__(self, path: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(100)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.asking: dict[socket.socket, int] = {}
        self.keeping: set[socket.socket] = set()

    def serve(self) -> bool:
        """Return True in a fork, which is to go on as the program; False when nobody keeps it any more."""
        while True:
            for key, _ in self.selector.select():
                if isinstance(key.fileobj, int):
                    self._end(key.fileobj, key.data)
                elif key.fileobj is self.listener:
                    if self._take(self.listener.accept()[0]):
                        return True
                elif isinstance(key.fileobj, socket.socket):
                    self._hear(key.fileobj)
            if not self.keeping:
                return False

    def _take(self, asking: socket.socket) -> bool:
        content, streams, _, _ = socket.recv_fds(asking, 65536, 3)
        if content == KEPT:
            self.keeping.add(asking)
            self.selector.register(asking, selectors.EVENT_READ, None)
            asking.send(b".")
            return False
        if len(streams) < 3:
            asking.close()
            return False
        size = int.from_bytes(content[:8], "big") + 8
        while len(content) < size:
            content += asking.recv(size - len(content))
        child = os.fork()
        if child == 0:
            for other in (self.listener, asking, *self.asking, *self.keeping):
                other.close()
            for key in list(self.selector.get_map().values()):
                if isinstance(key.fileobj, int):
                    os.close(key.fileobj)
            self.selector.close()
            _become(marshal.loads(content[8:]), streams)
            return True
        for number in streams:
            os.close(number)
        self.asking[asking] = child
        self.selector.register(asking, selectors.EVENT_READ, None)
        self.selector.register(os.pidfd_open(child), selectors.EVENT_READ, asking)
        return False

    def _hear(self, asking: socket.socket) -> None:
        """Hand signals on; who is gone was killed, and so is what was started for it."""
        try:
            numbers = asking.recv(100)
        except ConnectionError:
            numbers = b""
        child = self.asking.get(asking)
        if child is not None:
            for number in numbers or [signal.SIGKILL]:
                os.kill(child, number)
        if not numbers:
            self.selector.unregister(asking)
            self.keeping.discard(asking)
            if child is None:
                asking.close()

    def _end(self, ended: int, asking: socket.socket) -> None:
        self.selector.unregister(ended)
        os.close(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(self.asking.pop(asking), 0)[1])
        with contextlib.suppress(KeyError):
            self.selector.unregister(asking)
        with contextlib.suppress(OSError):
            asking.send(struct.pack(">i", code))
        asking.close()


def _become(given: tuple[list[str], str, dict[str, str], int, list[int]], streams: list[int]) -> None:
    """Make this process what a start with all that would be."""
    argv, folder, environ, umask, ignored = given
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    reader = io.FileIO(0, closefd=False)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(reader), encoding=sys.stdin.encoding, errors=sys.stdin.errors)
    unbuffered = bool(environ.get("PYTHONUNBUFFERED"))
    sys.stdout = _writer(1, sys.stdout.errors, unbuffered, line_buffering=os.isatty(1))
    sys.stderr = _writer(2, "backslashreplace", unbuffered, line_buffering=True)
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
    sys.argv = argv
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    os.chdir(folder)
    os.umask(umask)
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def _writer(number: int, errors: str | None, unbuffered: bool, *, line_buffering: bool) -> io.TextIOWrapper:
    raw = io.FileIO(number, "w", closefd=False)
    buffer: Any = raw if unbuffered else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer, encoding=sys.stdout.encoding, errors=errors, line_buffering=line_buffering, write_through=unbuffered
    )


def _load() -> None:
    from reconciler.cli import _let_no_plugin_be_found

    _let_no_plugin_be_found()
    package = importlib.import_module("reconciler")
    for module in pkgutil.walk_packages(package.__path__, "reconciler."):
        if module.name.rpartition(".")[2] != "__main__":
            importlib.import_module(module.name)


def _connected(path: str) -> socket.socket | None:
    """Return what keeps the loaded program; None where there is none, or it is about to end."""
    keeping = socket.socket(socket.AF_UNIX)
    try:
        keeping.connect(path)
        keeping.send(KEPT)
        if keeping.recv(1) == b".":
            return keeping
    except OSError:
        pass
    keeping.close()
    return None


@contextlib.contextmanager
def loaded(folder: Path) -> Iterator[Path]:
    """Yield a folder with a `reconciler` that starts at once. The process behind it serves all who give the same folder
    at the same time, and ends when the last of them has ended. Raises RuntimeError where the program cannot be loaded.
    """
    from filelock import FileLock

    program = Path(sys.executable).parent / "reconciler"
    if not hasattr(os, "pidfd_open"):
        yield program.parent
        return
    folder.mkdir(exist_ok=True)
    path = str(folder / "socket")
    with FileLock(folder / "lock"):
        keeping = _connected(path)
        if keeping is None:
            (folder / "socket").unlink(missing_ok=True)
            nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
            command = [sys.executable, "-P", __file__, path]
            child = os.posix_spawn(sys.executable, command, _plain(), file_actions=nowhere)
            while keeping is None:
                if os.waitpid(child, os.WNOHANG)[0]:
                    raise RuntimeError("the program cannot be loaded; why is on standard error")
                time.sleep(0.02)
                keeping = _connected(path)
        client = folder / "bin" / "reconciler"
        client.parent.mkdir(exist_ok=True)
        signals = tuple(map(int, SIGNALS))
        client.write_text(
            CLIENT.format(python=sys.executable, program=str(program), socket=path, signals=signals), "utf-8"
        )
        client.chmod(0o755)
    try:
        yield client.parent
    finally:
        keeping.close()


def _plain() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "TZ", "LC_ALL") if name in os.environ}


if __name__ == "__main__":
    _load()
    if _Server(sys.argv[1]).serve():
        from reconciler.cli import main

        main()
