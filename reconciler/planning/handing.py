"""Members that one roster of a plan lets go of, and another place of it takes: one row of the account moves. Deleted
here and made there it would be two writes, and where a member can be in one object only, the delete would hit what has
moved already. Pure.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.plan import Action, Change
from reconciler.model.values import RemoteId
from reconciler.planning.rosters import roster_of
from reconciler.planning.work import Work


def hand_over(work: Work) -> None:
    """Let the changes that take a member move its row, and those that let go of it follow them. Of two objects with
    rosters the one with the lower address takes, so that none waits for the other.
    """
    for (kind, identity), groups in work.freed.items():
        member = RemoteId(kind, identity)
        givers = [one for one in work.changes.values() if _updates(one) and _is(one) in groups]
        taker = _taker(work, member, givers[0]) if len(givers) == 1 else None
        if taker is None or taker.live is None or givers[0].live is None:
            continue
        live, part = work.kinds[givers[0].kind].give(givers[0].live, member)
        if part is not None:
            work.changes[givers[0].address] = replace(givers[0], live=live, follows=(*givers[0].follows, taker.address))
            work.changes[taker.address] = replace(taker, live=work.kinds[taker.kind].take(taker.live, part))


def _updates(change: Change) -> bool:
    return change.action is Action.UPDATE and change.live is not None


def _is(change: Change) -> RemoteId:
    return RemoteId(change.kind, change.live.id if change.live is not None else "")


def _taker(work: Work, member: RemoteId, giver: Change) -> Change | None:
    """Return the change by which a member says another object itself, or the roster that it joins."""
    name, short = roster_of(work.kinds[giver.kind]) or ("", "")
    own = work.changes.get(work.owners.get((member.kind, member.id), ""))
    says = own is not None and any(item.name == short and item.after is not None for item in own.attributes)
    if own is not None and says and _updates(own) and own.resource and short not in own.resource.elsewhere:
        return own
    for one in work.changes.values():
        if one.kind != giver.kind or not _updates(one) or one.live is None or one.address >= giver.address:
            continue
        joins = any(item.name == name and member in (item.after or ()) for item in one.attributes)
        if joins and member not in one.live.attrs.get(name, ()):
            return one
    return None
