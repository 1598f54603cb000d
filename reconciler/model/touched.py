"""What a command has written so far, files and states, for what is said where it is interrupted. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TOUCHED: ContextVar[list[str] | None] = ContextVar("touched", default=None)


def touched(what: str) -> None:
    """Take note of a file, or of a state by its place; where nothing collects them, it does nothing."""
    known = _TOUCHED.get()
    if known is not None and what not in known:
        known.append(what)


def collected() -> tuple[str, ...]:
    """Return what was written so far."""
    return tuple(_TOUCHED.get() or ())


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Yield the list of what is written inside, in order; it grows."""
    names: list[str] = []
    before = _TOUCHED.set(names)
    try:
        yield names
    finally:
        _TOUCHED.reset(before)
