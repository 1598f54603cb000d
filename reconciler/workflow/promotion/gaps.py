"""What one side of a promotion holds and the other one does not: objects that are lost or missing, and values."""

from __future__ import annotations

from reconciler.deriving.copying import only_there
from reconciler.deriving.promoting import WHOLE, PromotionRow, at_path
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.live import Live
from reconciler.workflow.promotion.sides import ThreeSides


def find_lost(sides: ThreeSides) -> None:
    """Find what the source held once and has lost, of what the target's files declare."""
    known = {*sides.before.resources, *sides.one.state.resources}
    for address in sorted(known & sides.theirs.desired.resources.keys()):
        if address not in sides.exported and sides.covers(address):
            why = sides.one.eyes.why if sides.one.eyes is not None else ""
            if why and sides.kinds[kind_of(address)].reading.filtered:
                sides.left_out.append(f"{address}: {sides.one.name} does not show it, which proves nothing: {why}")
                continue
            sides.gone.append(address)
            sides.rows.append(PromotionRow(address, WHOLE, "here", note=f"{sides.one.name} does not hold it any more"))


def find_emptied(sides: ThreeSides, address: str, live: Live) -> None:
    """Name what only the target's object has and nothing says to be empty: no promotion empties that."""
    kind = sides.kinds[live.kind]
    declared = sides.theirs.desired.resources.get(address)
    for path, shown in only_there(sides.exported[address], live, kind, sides.listing).items():
        if (live.kind, path[0]) in sides.shared:
            continue
        value = declared.attrs.get(path[0]) if declared is not None else None
        if not shown:
            why = f"is not shown by {sides.one.name}, and {sides.other.name} has a value"
        elif len(path) > 1 and not values.is_empty_or_off(at_path(kind.attributes[path[0]], value, path[1:])):
            if sides.choice.prune:
                continue  # a row says it
            why = f"is not in {sides.one.name}; the files of {sides.other.name} declare it, and --prune takes it out"
        else:
            why = f"is empty in {sides.one.name}, and only {sides.other.name} has a value, which nothing declares"
        sides.left_out.append(f"{address}: `{'.'.join(path)}` {why}")
    entry = sides.other_side.get((live.kind, live.id))
    sides.left_out += [f"{address}: of {sides.other.name}: {why}" for why in (sides.partly(entry) if entry else ())]


def find_missing(sides: ThreeSides, address: str) -> None:
    """Tell of an object that the target's account does not hold."""
    if address in sides.theirs.desired.resources:
        sides.rows.append(PromotionRow(address, WHOLE, "waiting", note="in the files already, not in the account"))
    elif any(base.while_said("") for base in sides.before.resources.get(address, {}).values()):
        note = f"{sides.other.name} held it at the last promotion"
        sides.rows.append(PromotionRow(address, WHOLE, "there", note=note))
    else:
        sides.rows.append(PromotionRow(address, WHOLE, "here", note="new"))
        sides.news.append(address)
