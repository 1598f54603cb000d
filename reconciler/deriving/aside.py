"""What an export leaves out by decision, in lines that name it: what people make beside the configuration, and what
came with the account. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding


def set_aside(
    snapshot: Snapshot, kinds: Kinds, bindings: Mapping[str, Binding], only: frozenset[str] | None = None
) -> dict[str, list[str]]:
    """Return by kind what an export leaves out by decision, one line for each reason with how many and which: what
    is not expected to be managed (see `Kind.incidental`) and no state knows.
    """
    known = {(binding.kind, binding.id) for binding in bindings.values()}
    aside: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        if not kind.abilities.managed or (only is not None and name not in only):
            continue
        reasons: dict[str, list[Live]] = defaultdict(list)
        for live in snapshot.lives.get(name, ()):
            why = kind.aside(live) or (MADE_BESIDE if kind.reading.mostly_unmanaged and not live.builtin else "")
            if why and (name, live.id) not in known:
                reasons[why].append(live)
        lines = [f"{_counted(kind, lives)}: {why}" for why, lives in reasons.items()]
        if lines:
            aside[name] = lines
    return aside


def came_along(snapshot: Snapshot, kinds: Kinds, only: frozenset[str] | None = None) -> list[str]:
    """Return one line with the objects that came with the account, hold more than their name, and that nothing can
    declare; none where there are none.
    """
    lines = []
    for name, kind in kinds.items():
        if not kind.abilities.managed or (only is not None and name not in only):
            continue
        lives = [
            live
            for live in snapshot.lives.get(name, ())
            if live.builtin
            and not kind.aside(live)
            and kind.declare(live.attrs).keys() - {kind.identity.name_attribute}
        ]
        if lives:
            lines.append(_counted(kind, lives).removeprefix(f"{len(lives)} of kind "))
    return [f"left as they came with the account: {'; '.join(lines)}"] if lines else []


def beside(
    snapshot: Snapshot,
    kinds: Kinds,
    bindings: Mapping[str, Binding],
    only: frozenset[str] | None = None,
    *,
    listed: bool = False,
) -> list[str]:
    """Return what each command that takes over an account, or compares it, names beside the objects that it takes one
    by one: what people make beside the configuration, and what came with the account. Not those that are `listed` one
    by one already, as `export_for_files` does: apps' and servers' objects.
    """
    aside = set_aside(snapshot, kinds, bindings, only)
    lines = [
        line for name, some in aside.items() if not listed or kinds[name].reading.mostly_unmanaged for line in some
    ]
    return [*lines, *came_along(snapshot, kinds, only)]


MADE_BESIDE = "made beside the configuration; it is not declared"


NAMED = 5


def _counted(kind: Kind, lives: list[Live]) -> str:
    """Return how many objects, with their names unless those are of people."""
    count = f"{len(lives)} of kind {kind.name}"
    if kind.reading.mostly_unmanaged:
        return count
    names = ", ".join(f"`{live.attrs.get(kind.identity.name_attribute) or live.id}`" for live in lives[:NAMED])
    return f"{count} ({names}{f' and {len(lives) - NAMED} more' if len(lives) > NAMED else ''})"
