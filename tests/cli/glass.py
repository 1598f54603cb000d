"""A terminal in memory: what a person sees on it after everything that was written to it."""

from __future__ import annotations

import io
import re

_TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|\x1b.|[\r\n]|[^\x1b\r\n]+")


class Glass(io.StringIO):
    """A stream that is a terminal of so many columns; what was scrolled away is kept above its `height` rows, rows
    that were full in `broken`. Knows what `rich` and we send.
    """

    def __init__(self, columns: int, height: int = 10_000) -> None:
        super().__init__()
        self.columns, self.height = columns, height
        self.saved = (0, 0)
        self.broken: list[str] = []
        self.rows = [""]
        self.row = self.column = 0

    @property
    def encoding(self) -> str:  # type: ignore[override] # a property of the class above that cannot be set
        """What terminals speak."""
        return "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for found in _TOKEN.finditer(text):
            self._take(found)
        return len(text)

    def shown(self) -> str:
        """Everything on the glass, without blanks at the ends of lines."""
        return "\n".join(row.rstrip() for row in self.rows).rstrip() + "\n"

    def _take(self, found: re.Match[str]) -> None:
        text, code = found.group(), found.group(3)
        if code is not None:
            self._steer(found.group(1), found.group(2), code)
        elif text == "\r":
            self.column = 0
        elif text == "\n":
            self._down()
        elif text == "\x1b7":
            self.saved = (self.row - self._top, self.column)
        elif text == "\x1b8":
            self.row, self.column = self._top + self.saved[0], self.saved[1]
        elif not text.startswith("\x1b"):
            self._put(text)

    def _steer(self, private: str, number: str, code: str) -> None:
        if code == "A":
            self.row = max(self.row - int(number or 1), self._top)
        elif code == "J":
            assert not number, "what follows is erased"
            self.rows[self.row] = self.rows[self.row][: self.column]
            self.rows[self.row + 1 :] = [""] * len(self.rows[self.row + 1 :])
        elif code == "K":
            assert number == "2", "only whole lines are erased"
            self.rows[self.row] = ""
        else:
            assert (private, code) == ("", "m"), f"unknown sequence {private}{number}{code}"

    @property
    def _top(self) -> int:
        """The first row that is on the screen."""
        return max(len(self.rows) - self.height, 0)

    def _down(self) -> None:
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.rows):
            self.rows.append("")

    def _put(self, text: str) -> None:
        for character in text:
            if self.column == self.columns:
                self.broken.append(self.rows[self.row])
                self._down()
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1
