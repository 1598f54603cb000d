"""Problems with a place: `file:line:column`, a message, a hint, the excerpt of the source line."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
"""A note is about what is as a user decided; it stops nothing."""


class Position(NamedTuple):
    """A place in a source file. Lines and columns count from 1; `file` is relative to the project folder."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Diagnostic(NamedTuple):
    """One problem. `code` is a stable slug such as `unknown-attribute`; `excerpt` is the source line without its
    newline.
    """

    message: str
    at: Position | None = None
    hint: str = ""
    excerpt: str = ""
    code: str = "invalid"
    severity: Severity = "error"
    length: int = 1
    shift: int = 0
    """Columns by which the place stands further left in the excerpt than in the file: stars may be shorter."""
    waived: str = ""
    """Of a broken rule: until when it is waived, and why."""

    def showing(self, excerpt: str) -> Diagnostic:
        """Return it with another excerpt, in which something was replaced by stars. How long that was is not told: what
        is replaced is as long as its stars.
        """
        if excerpt == self.excerpt or self.at is None:
            return self._replace(excerpt=excerpt)
        before = _same(self.excerpt, excerpt)
        room = min(len(self.excerpt), len(excerpt)) - before
        after = min(_same(self.excerpt[::-1], excerpt[::-1]), room)
        end = len(self.excerpt) - after

        def moved(place: int, inside: int) -> int:
            return place if place <= before else place + len(excerpt) - len(self.excerpt) if place >= end else inside

        start = self.at.column - 1 - self.shift
        first, last = moved(start, before), moved(start + self.length, len(excerpt) - after)
        return self._replace(excerpt=excerpt, length=max(1, last - first), shift=self.at.column - 1 - first)


def _same(text: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = zip(text, other, strict=False)
    return next((place for place, (left, right) in enumerate(pairs) if left != right), min(len(text), len(other)))
