"""Keeps tests offline: an audit hook that refuses to resolve or connect to anything but this machine.

An audit hook sees every socket of the process, those of asyncio and C extensions included, and replaces nothing.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any


class NetworkBlocked(AssertionError):
    """A test tried to leave this machine. Not an OSError, so that no retry or `except OSError` can swallow it."""


def is_local(host: Any) -> bool:
    """Return whether a host name, address or None (any interface, for servers) stays on this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_remote(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]  # (host, port, ...) of an IP socket; text or None where there is no host
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not is_local(host):
        raise NetworkBlocked(f"a test tried to reach {host!r}; tests run offline, use the emulator")


def install() -> None:
    """Guard this process until it ends; audit hooks cannot be removed."""
    sys.addaudithook(_refuse_remote)
