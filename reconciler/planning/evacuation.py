"""Evacuation: what `on_destroy` moves away before a delete, and where it cannot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.model.desired import Desired
from reconciler.model.kind import Kinds
from reconciler.model.plan import DESTROYS, Action, Change


def impossible_evacuations(desired: Desired, kinds: Kinds) -> list[str]:
    """Return what is declared and the API cannot do."""
    return [
        f"{resource.at or ''}{': ' if resource.at else ''}{address}: on_destroy: {what}: {why}"
        for address, resource in desired.resources.items()
        for what, target in resource.lifecycle.on_destroy.items()
        if (why := kinds[resource.kind].unmovable(what, address, target))
    ]


def within_reach(changes: Mapping[str, Change], ids: Mapping[str, str]) -> tuple[dict[str, Change], list[str]]:
    """Return the changes without evacuations to what goes itself or is not there, and a warning for each: its records
    count as lost.
    """
    to_destroy = {address for address, change in changes.items() if change.action in DESTROYS}
    coming = {address for address, change in changes.items() if change.action is Action.CREATE}
    found, warnings = dict(changes), []
    for address in sorted(to_destroy):
        binding = changes[address].binding
        if binding is None or not binding.on_destroy:
            continue
        kept = {
            what: to for what, to in binding.on_destroy.items() if to not in to_destroy and (to in ids or to in coming)
        }
        for what, to in binding.on_destroy.items():
            if what not in kept:
                why = "is destroyed too" if to in to_destroy else "is not there"
                warnings.append(f"{address}: {what} {to} is not possible, for it {why}; what it holds is lost")
        found[address] = replace(changes[address], binding=binding.model_copy(update={"on_destroy": kept}))
    return found, warnings
