"""Regular expressions that people write into files: RE2, whose time is linear in the text whatever the pattern is. The
only home of google-re2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

LARGEST = 5_000
"""Instructions that a compiled pattern may have: nested repetitions multiply."""
STEPS = 20_000_000_000
"""What searching may cost for one plan: characters of the texts times instructions of the patterns, the worst case of
RE2. That is some seconds; a plan of 20,000 changes under ordinary patterns takes a hundredth of it.
"""


class Unbounded(Exception):
    """The patterns of a policy cost more on the texts of this plan than they may."""


class Found(Protocol):
    """A place that was found."""

    def start(self) -> int: ...


class CompiledPattern(Protocol):
    """A pattern of RE2, which ships no types."""

    programsize: int

    def search(self, text: str | bytes, place: int = 0) -> Found | None: ...


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> CompiledPattern:
    import re2  # most projects have no patterns

    options = re2.Options()
    options.log_errors = False
    return cast(CompiledPattern, re2.compile(pattern, options))


def check_pattern(pattern: str) -> None:
    """Raise ValueError, with what is wrong, for what RE2 cannot search for."""
    import re2

    try:
        size = _compiled(pattern).programsize
    except re2.error as error:
        message = error.args[0] if error.args else ""
        message = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
        raise ValueError(
            f"`{pattern}` is not a regular expression of RE2: {message} (RE2 knows neither look-around nor back "
            r"references, and writes `\z` for `\Z`; see https://github.com/google/re2/wiki/Syntax)"
        ) from error
    except UnicodeEncodeError as error:
        raise ValueError("the regular expression has half of a character (a lone surrogate) in it") from error
    if size > LARGEST:
        raise ValueError(
            f"`{pattern}` is too large: its repetitions come to {size:,} instructions, of at most {LARGEST:,}"
        )


@dataclass(slots=True, eq=False, repr=False)
class SearchBudget:
    """What is left of what the searches of one plan may cost; a `share` of it is what those of one rule may."""

    left: int = STEPS
    whole: SearchBudget | None = None

    def share(self) -> SearchBudget:
        """Return what one rule may take: a quarter of all, so that none uses up what the others need."""
        return SearchBudget(min(self.left, STEPS // 4), self)

    def matches(self, pattern: str, text: str) -> bool:
        """Return whether the pattern matches anywhere in the text. Raises Unbounded when the budget is used up."""
        compiled = _compiled(pattern)
        cost = (len(text) + 1) * compiled.programsize
        if cost > self.left:
            raise Unbounded(f"its patterns take more than {STEPS // 4:,} steps, or with those of all others {STEPS:,}")
        self.left -= cost
        if self.whole is not None:
            self.whole.left -= cost
        return compiled.search(text.encode("utf-8", "replace")) is not None  # a lone surrogate is in no UTF-8


def finder(alternatives: Iterable[bytes]) -> Callable[[bytes, int], int]:
    """Return a function that tells where any of some patterns of bytes matches first in a text from a place on, and -1
    where none does: one pass, whatever their number is.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    compiled = cast(CompiledPattern, re2.compile(b"|".join(alternatives), options))

    def find(text: bytes, place: int) -> int:
        hit = compiled.search(text, place)
        return -1 if hit is None else hit.start()

    return find


def literally(text: bytes) -> bytes:
    """Return the pattern that finds these bytes and nothing else."""
    return b"".join(rb"\x%02x" % byte for byte in text)
