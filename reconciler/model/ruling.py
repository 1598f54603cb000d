"""The rules that hold in a project: those of its file and of the packs that it includes, and who is waived."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.diagnostics import Position
from reconciler.model.empty import NOTHING
from reconciler.model.project import Rule, RuleSubject, Waiver


class Rules(NamedTuple):
    """What a project's reports are held to, and what may break it until when; `places` says where each rule is written,
    by its id, of a pack where it is included; `waiver_places` where each waiver is.
    """

    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    places: Mapping[str, Position] = NOTHING
    waiver_places: tuple[Position, ...] = ()
    written: Mapping[str, Position] = NOTHING
    """Where each rule is written, also in the files of packs."""

    def on(self, subject: RuleSubject, environment: str) -> list[Rule]:
        """Return the rules that judge this subject in an environment."""
        return [
            rule
            for rule in self.rules
            if subject in rule.subjects and (not rule.environments or environment in rule.environments)
        ]


NONE = Rules()
_WAIVED = r"(?s)\((waived until \d{4}-\d\d-\d\d: .*)\)"


def with_waiver(message: str, waiver: Waiver) -> str:
    """Return what is told of a broken rule that is waived: the same words wherever it is told."""
    return f"{message} (waived until {waiver.expires}: {waiver.reason})"


def waiver_in(message: str) -> str:
    """Return what a message says of the waiver (see `with_waiver`); "" where it says nothing."""
    match = re.search(_WAIVED, message)
    return match.group(1) if match is not None and match.end() == len(message) else ""
