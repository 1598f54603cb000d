"""Telling whether a process on this machine still lives, so that the lock of a killed run need not be waited for."""

from __future__ import annotations

import os
from pathlib import Path


def identity(pid: int | None = None) -> str:
    """Return what no other process will ever be called: boot, process namespace, pid and start time; "" where the
    system does not say (no /proc).
    """
    number = os.getpid() if pid is None else pid
    started = _started(number)
    return f"{_world()}/{number}/{started}" if started and _world() else ""


def is_dead(process: str) -> bool:
    """Return whether a process is surely gone. False when it lives, or when this machine cannot know."""
    world, _, rest = process.rpartition("/")[0].rpartition("/")
    started = process.rpartition("/")[2]
    if not process or world != _world() or not rest.isdigit():
        return False
    return _started(int(rest)) != started


def _world() -> str:
    """Boot and namespace: only processes of the same world see each other."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return the start time of a living process in clock ticks after boot; "" for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
