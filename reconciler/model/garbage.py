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
