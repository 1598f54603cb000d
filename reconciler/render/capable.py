"""What the other end of a stream can show. Imports nothing of the program, so that the first sign of life may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO


def is_interactive(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a user watches: a terminal that can move its cursor, outside of any CI."""
    return stream.isatty() and not environ.get("CI") and environ.get("TERM", "") not in ("dumb", "unknown")


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to colour output: NO_COLOR wins, then FORCE_COLOR, then whether it is a capable terminal."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return environ["FORCE_COLOR"] != "0"
    return stream.isatty() and environ.get("TERM", "") not in ("dumb", "unknown")
