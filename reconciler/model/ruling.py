"""The rules that hold in a project: those of its file and of the packs that it includes, and who is waived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.diagnostics import Position
from reconciler.model.project import Rule, Subject, Waiver


@dataclass(frozen=True, slots=True)
class Rules:
    """What a project's reports are held to, and what may break it until when; `places` says where each rule is written,
    by its id.
    """

    rules: tuple[Rule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    places: Mapping[str, Position] = field(default_factory=dict)

    def on(self, subject: Subject, environment: str) -> list[Rule]:
        """Return the rules that judge this subject in an environment."""
        return [
            rule
            for rule in self.rules
            if subject in rule.subjects and (not rule.environments or environment in rule.environments)
        ]


NONE = Rules()
