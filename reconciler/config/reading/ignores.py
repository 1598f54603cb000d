"""The `ignore:` rules of a project: whether they still hold, told with their places."""

from __future__ import annotations

import datetime
from collections.abc import Sequence as Several

from reconciler.config.reading.nodes import Sequence, Spot, at
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.project import LoadedProject
from reconciler.model.kind import Kinds
from reconciler.model.nearest import did_you_mean
from reconciler.model.project import Ignore


def live_ignores(project: LoadedProject, kinds: Kinds, today: datetime.date) -> Several[Ignore]:
    """Return the rules. Raises ConfigError for every one that is past its date or names no kind that can be managed."""
    problems = Problems()
    rules = project.project.ignore
    for place, rule in enumerate(rules):
        spot = _spot(project, place)
        managed = [name for name, kind in kinds.items() if kind.abilities.managed]
        if rule.kind not in managed:
            hint = did_you_mean(rule.kind, managed, "`reconciler kinds` lists them")
            problems.error("unknown-kind", f"there is no kind `{rule.kind}` to ignore", spot, hint)
        if rule.expires is None:
            continue
        try:
            last = datetime.date.fromisoformat(rule.expires)
        except ValueError:
            problems.error(
                "invalid-value", f"`expires` is not a date: `{rule.expires}`", spot, "write it as 2027-01-31"
            )
            continue
        if last < today:
            message = f"the rule that ignores {rule.kind} `{rule.key}` expired on {rule.expires}"
            problems.error("expired-ignore", message, spot, f"decide again: {rule.reason}")
    problems.check()
    return rules


def _spot(project: LoadedProject, place: int) -> Spot:
    entry = at(project.tree, "ignore")
    items = entry.value.items if entry is not None and isinstance(entry.value, Sequence) else []
    return items[place].spot if place < len(items) else project.spot("ignore")
