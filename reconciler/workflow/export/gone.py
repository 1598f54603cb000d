"""What an export finds gone from the account, and what may only not be shown."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch

from reconciler.config import Loaded
from reconciler.model.address import kind_of
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, Plan
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding
from reconciler.workflow.export.target import Extent


def gone_of(extent: Extent, plan: Plan, seen: Snapshot, bindings: Mapping[str, Binding]) -> list[str]:
    """Return what is declared and the account does not show. What cannot be planned, as a reference of it finds nothing
    either, is gone where the object that it is bound to is.
    """
    chosen, lives = extent.target, seen.lives
    skipped = [
        skip.address
        for skip in plan.skipped
        if (binding := bindings.get(skip.address)) is not None
        and binding.kind in lives
        and all(live.id != binding.id for live in lives[binding.kind])
    ]
    return [
        address
        for address in [*(change.address for change in plan.changes if change.action is Action.CREATE), *skipped]
        if (extent.kinds is None or kind_of(address) in extent.kinds)
        and (not chosen or any(fnmatch(address, pattern) for pattern in chosen))
    ]


def unseen_of(gone: list[str], kinds: Kinds, eyes: Eyes | None) -> dict[str, str]:
    """Return those that may only not be shown, with the reason: nothing is taken out on weaker evidence than what
    deletes it. Where it is unknown whose key it is, that is not evidence. What is part of another one, or needs it,
    stays with it.
    """
    why = eyes.why if eyes is not None else ""
    unseen = {}
    for address in gone if why else ():
        kind = kinds[kind_of(address)]
        if kind.reading.filtered and (not kind.nested or kind.parent_of(address) in gone):
            unseen[address] = f"the account does not show it, which proves nothing: {why}"
    return unseen


def left_of(
    extent: Extent, seen: Snapshot, kinds: Kinds, eyes: Eyes | None, bindings: Mapping[str, Binding], after: Loaded
) -> set[str]:
    """Return what is bound, declared nowhere and gone: an export with `prune` that was killed between its files and
    its state leaves it.
    """
    chosen, lives = extent.target, seen.lives
    gone = [
        address
        for address, binding in bindings.items()
        if address not in after.desired.resources
        and binding.kind in lives
        and all(live.id != binding.id for live in lives[binding.kind])
        and (extent.kinds is None or binding.kind in extent.kinds)
        and (not chosen or any(fnmatch(address, pattern) for pattern in chosen))
    ]
    return set(gone) - set(unseen_of(gone, kinds, eyes))
