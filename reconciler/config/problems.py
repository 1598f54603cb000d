"""Collects everything that is wrong with a configuration, so that one run reports all of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.config.nodes import Spot
from reconciler.model.diagnostics import Diagnostic, Position, Severity
from reconciler.model.errors import ConfigError

_LINK = re.compile(r"(?<=://)[^\s\"'<>]+")
_CARRIED = re.compile(r"^[^/@]+(?=@)|(?<=[?#&=])[^?#&=$]+(?=[#&]|$)")
"""Of a link: user and password, and the values of its query; not the name of a `${secret.X}`."""
_KEY = re.compile(r"(\b(?:token|password)\b[\"']?\s*:\s*[\"']?)([^\s\"',}$]+)")


@dataclass
class Problems:
    """Errors and warnings, in the order in which they were found."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(self, code: str, message: str, spot: Spot | None = None, hint: str = "") -> None:
        """Note something that stops the run."""
        self._add("error", code, message, spot, hint)

    def warn(self, code: str, message: str, spot: Spot | None = None, hint: str = "") -> None:
        """Note something that the user should know."""
        self._add("warning", code, message, spot, hint)

    def _add(self, severity: Severity, code: str, message: str, spot: Spot | None, hint: str) -> None:
        place = (spot.position, _bare(spot.source.line(spot.line)), spot.length) if spot is not None else (None, "", 1)
        self.found.append(Diagnostic(message, place[0], hint, place[1], code, severity, place[2]))

    @property
    def errors(self) -> bool:
        """Whether anything stops the run."""
        return any(problem.severity == "error" for problem in self.found)

    def ordered(self) -> tuple[Diagnostic, ...]:
        """Return everything once, in the order of the files; what has no place comes first."""
        unique = dict.fromkeys(self.found)
        return tuple(sorted(unique, key=lambda problem: (problem.at is not None, problem.at or Position(""))))

    def check(self) -> tuple[Diagnostic, ...]:
        """Return the warnings. Raises ConfigError with everything if there is an error."""
        if self.errors:
            raise ConfigError(self.ordered())
        return self.ordered()


def _bare(line: str) -> str:
    """Return a source line without its secrets, and as long as before: CI keeps what it is shown."""
    line = _LINK.sub(lambda link: _CARRIED.sub(lambda match: "*" * len(match.group()), link.group()), line)
    return _KEY.sub(lambda match: match.group(1) + "*" * len(match.group(2)), line)


def closest(word: str, options: Iterable[str]) -> str | None:
    """Return the option that was probably meant."""
    choices = {option.casefold(): option for option in sorted(options)}
    near = difflib.get_close_matches(word.casefold(), choices, 1, 0.6)
    return choices[near[0]] if near else None


def did_you_mean(word: str, options: Iterable[str], otherwise: str = "") -> str:
    """Return a hint that names the closest option, or another hint when none is close."""
    near = closest(word, options)
    return f"did you mean `{near}`?" if near is not None else otherwise


def listed(options: Iterable[str], most: int = 12) -> str:
    """Return names for a sentence, cut where there are too many."""
    names = list(options)
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
