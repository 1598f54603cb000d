"""Help that fits the terminal: click breaks prose, and neither long choices nor examples."""

from __future__ import annotations

import re

import click


class Fitting(click.HelpFormatter):
    """Breaks what is wider than it may be: choices behind a bar, an example such that it can be typed as it stands."""

    def getvalue(self) -> str:
        """Return the page, no line of it wider than `width`."""
        text = super().getvalue()
        return "".join(f"{part}\n" for line in text.splitlines() for part in self._broken(line))

    def _broken(self, line: str) -> list[str]:
        if len(line) <= self.width:
            return [line]
        indent = " " * (len(line) - len(line.lstrip()))
        if line.lstrip().startswith("reconciler "):
            return _wrapped(line, self.width - 2, f"{indent}    ", " \\")
        term, gap, description = re.fullmatch(r"(\s*\S.*?)(\s{2,}(?=\S)|$)(.*)", line).groups()  # type: ignore[union-attr]
        apart = re.sub(r"(?<=\|)(?=\S)", " ", term)
        lines = [line.replace("| ", "|") for line in _wrapped(apart, self.width, f"{indent}    ")]
        return [
            *lines,
            *(_wrapped(f"{indent}    {description}", self.width, f"{indent}    ") if gap and description else ()),
        ]


class Context(click.Context):
    """A context whose help fits."""

    formatter_class = Fitting


def _wrapped(line: str, width: int, indent: str, end: str = "") -> list[str]:
    """Break a line at blanks; what follows is indented by `indent`, and all lines but the last have an `end`."""
    import textwrap

    lines = textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return [*(f"{line}{end}" for line in lines[:-1]), *lines[-1:]]
