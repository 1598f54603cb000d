"""What the scripts beside it share. They run in the environment of the clients, which has nothing of this project.

A script calls everything that its client has for configuration and prints a report, see `report`.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any

TOKEN = "emulator-token"


class Watched:
    """An object whose methods can be called, and are noted in `called` when they are, as `prefix` and name."""

    def __init__(self, target: object, called: set[str], prefix: str = "") -> None:
        self._target, self._called, self._prefix = target, called, prefix

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self._target, name)

        def call(*args: Any, **named: Any) -> Any:
            self._called.add(self._prefix + name)
            return found(*args, **named)

        return call


def methods(target: object, prefix: str = "") -> set[str]:
    """Return the names of what can be called of an object."""
    named = (name for name in dir(type(target)) if not name.startswith("_"))
    return {prefix + name for name in named if callable(getattr(target, name))}


def administer(url: str, what: str, method: str, body: object) -> None:
    """Steer the emulator: `POST seed`, `PUT settings`."""
    data = json.dumps(body).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/_emulator/{what}", data, method=method), timeout=10).close()


def refuses(kind: type[Exception], function: Callable[..., Any], *args: Any) -> str:
    """Return what a call says that fails for a fault of the client's own; it has to fail by this exception."""
    try:
        answer = function(*args)
    except kind as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError(f"the client was mended: {function} gave {answer}")


def report(
    package: str, known: Iterable[str], called: Iterable[str], records: Iterable[str], faults: Mapping[str, str]
) -> None:
    """Print, as JSON, the `version` of the package, how much was `called`, its own `faults` (method: what it says), and
    what it knows and nobody called or named: `left`. `records` are methods that are about customers' data or content.
    `unknown` are names of `records` that the client does not have.
    """
    known, called, records = set(known), set(called), set(records)
    found = {
        "version": version(package),
        "called": len(called),
        "faults": dict(faults),
        "left": sorted(known - called - records - set(faults)),
        "unknown": sorted((records | set(faults)) - known),
    }
    sys.stdout.write(json.dumps(found) + "\n")
