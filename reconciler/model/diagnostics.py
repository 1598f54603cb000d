"""Problems with a place: `file:line:column`, a message, a hint, the excerpt of the source line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a source file. Lines and columns count from 1; `file` is relative to the project folder."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
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
