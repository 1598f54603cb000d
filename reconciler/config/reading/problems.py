"""Collects everything that is wrong with a configuration, so that one run reports all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field

from reconciler.config.reading.nodes import Spot
from reconciler.model.diagnostics import Diagnostic, Position, Severity
from reconciler.model.errors import ConfigError, WrongInput
from reconciler.model.nearest import did_you_mean
from reconciler.model.records import mutable
from reconciler.model.redaction import STARS

_LINK = re.compile(r"(?<=://)[^\s\"'<>]+")
_CARRIED = re.compile(r"^[^/@]+(?=@)|(?<=[?#&=])[^?#&=$]+(?=[#&]|$)")
"""Of a link: user and password, and the values of its query; not the name of a `${secret.X}`."""
_KEY = re.compile(r"\b(?:token|password)\b[\"']?\s*:", re.IGNORECASE)
_HELD = re.compile(r"[^\s\"',:{}\[\]]+")
_REFERENCE = re.compile(r"\$?\$\{[^}]*\}")
_FAR = 200
"""Lines above a place in which the key is looked for that its value belongs to."""


@mutable
class Problems:
    """Errors and warnings, in the order in which they were found."""

    diagnostics: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, message: str, spot: Spot | None = None, hint: str = "") -> None:
        """Note something that stops the run."""
        self._add("error", code, message, spot, hint)

    def warn(self, code: str, message: str, spot: Spot | None = None, hint: str = "") -> None:
        """Note something that the user should know."""
        self._add("warning", code, message, spot, hint)

    def _add(self, severity: Severity, code: str, message: str, spot: Spot | None, hint: str) -> None:
        if spot is None:
            self.diagnostics.append(Diagnostic(message, None, hint, "", code, severity))
            return
        line = spot.source.line(spot.line)
        diagnostic = Diagnostic(message, spot.position, hint, line, code, severity, spot.length)
        self.diagnostics.append(diagnostic.showing(_excerpt(spot)))

    @property
    def errors(self) -> bool:
        """Whether anything stops the run."""
        return any(problem.severity == "error" for problem in self.diagnostics)

    def ordered(self) -> tuple[Diagnostic, ...]:
        """Return everything once, in the order of the files; what has no place comes first."""
        unique = dict.fromkeys(self.diagnostics)
        return tuple(sorted(unique, key=lambda problem: (problem.at is not None, problem.at or Position(""))))

    def check(self) -> tuple[Diagnostic, ...]:
        """Return the warnings. Raises ConfigError with everything if there is an error."""
        if self.errors:
            raise ConfigError(self.ordered())
        return self.ordered()


def _excerpt(spot: Spot) -> str:
    """Return the line of a place without its secrets, and without their lengths: CI keeps what it is shown."""
    line = spot.source.line(spot.line)
    line = _LINK.sub(lambda link: _CARRIED.sub(_stars, link.group()), line)
    if _below_a_secret(spot, line):
        return _starred(line)
    for match in _KEY.finditer(line):
        end = _end(line, match.end())
        line = line[: match.end()] + _starred(line[match.end() : end]) + line[end:]
    return line


def _below_a_secret(spot: Spot, line: str) -> bool:
    """Return whether a line continues the value of a token or password that began above it, as any YAML."""
    depth, item = _depth(line), line.lstrip().startswith("- ")
    for number in range(spot.line - 1, max(-1, spot.line - _FAR), -1):
        above = spot.source.line(number)
        if not above.strip() or above.lstrip().startswith("#"):
            continue
        keys = list(_KEY.finditer(above))
        if keys:
            rest = above[keys[-1].end() :]
            flow = _open(above[: keys[-1].start()])
            deeper = _depth(above) < depth or (item and _depth(above) == depth and not rest.strip())
            if (not rest.strip() or _open(rest)) if flow else deeper or _open(rest):
                return True
        depth = min(depth, _depth(above))
        if depth == 0 and not _open(above) and not item:
            return False
    return False


def _end(line: str, start: int) -> int:
    """Return where a value ends: in brackets at the next comma or bracket that is not its own, else with the line."""
    if not _open(line[:start]):
        return len(line)
    depth, quote = 0, ""
    for place in range(start, len(line)):
        letter = line[place]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}" and depth:
            depth -= 1
        elif letter in ",]}":
            return place
    return len(line)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _open(text: str) -> bool:
    """Return whether a text begins something in brackets or quotes that it does not end."""
    return sum(map(text.count, "[{")) > sum(map(text.count, "]}")) or text.count('"') % 2 == 1


def _starred(text: str) -> str:
    """Return a value with stars for all but its brackets, quotes and references."""
    kept, last = [], 0
    for match in _REFERENCE.finditer(text):
        kept += [_HELD.sub(_stars, text[last : match.start()]), match.group()]
        last = match.end()
    return "".join([*kept, _HELD.sub(_stars, text[last:])])


def _stars(_: re.Match[str]) -> str:
    return STARS


def unknown_kind(name: str, kinds: Iterable[str], use: str = "") -> WrongInput:
    """Return what is said of a kind that is not among those that can be named, for a `use` such as " to read"."""
    return WrongInput(
        f"there is no kind `{name}`{use}", hint=did_you_mean(name, kinds, "`reconciler kinds` lists them")
    )


def listed(options: Iterable[str], most: int = 12) -> str:
    """Return names for a sentence, cut where there are too many."""
    names = list(options)
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
