"""Memory where very many objects are made: the garbage collector meanwhile, and what is given back afterwards."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Stop the collector: with so many new objects and no garbage among them, it takes a third of the time or more."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


LASTING = (10_000, 5, 2)
"""Objects after which a process that goes on for hours looks for garbage; searches until it looks further back."""


@contextmanager
def lasting() -> Iterator[None]:
    """Collect as a process does that goes on for hours, where a command of some seconds would leave garbage to its end.
    What was there before is most of all, and stays: it is left out of each search.
    """
    before = gc.get_threshold()
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(*LASTING)
    try:
        yield
    finally:
        gc.set_threshold(*before)


LARGE = 1 << 20
"""Bytes of a document of which much memory is left over when it was read."""


def give_back(size: int) -> None:
    """Give memory back to the system after a document of so many bytes was read, where that is much: what a reader in C
    or Rust needed meanwhile is kept by glibc once a large block was freed, and is of no use to Python's objects.
    """
    if size >= LARGE and sys.platform == "linux":
        import ctypes

        if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
            trim(0)
