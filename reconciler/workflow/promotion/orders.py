"""The order of what stands in something, on the sides of a promotion and in the files of the target."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.config.writing.arranging import interleaved
from reconciler.config.writing.rewriting import Arrangement
from reconciler.deriving.promoting import PromotionRow, Side, Status, hashed, status
from reconciler.model.address import kind_of
from reconciler.model.live import Live
from reconciler.model.plan import Change
from reconciler.workflow.observation.arrangements import arranges, by_parent, in_account, in_files, inside, own_key
from reconciler.workflow.promotion.sides import Name, ThreeSides


def compare_orders(sides: ThreeSides, changes: Mapping[str, Change], lives: Mapping[str, Live]) -> None:
    """Compare in which order both sides have what stands in something else."""
    mine = {address: entry.live for address, entry in sides.exported.items() if not entry.problem}
    declared = sides.theirs.desired.resources
    for parent, addresses in by_parent(mine.keys() & sides.wanted.keys(), sides.kinds).items():
        if parent not in lives:
            continue
        part = inside(addresses[0], sides.kinds)
        here = [address for address in in_account(addresses, mine) if address in lives]
        there, files = in_account(here, lives), in_files(here, declared)
        attribute, salt = sides.kinds[kind_of(parent)].attributes[part], sides.before.salt
        marks = [hashed([*order], attribute, lambda leaf: leaf, salt) for order in (here, there, files)]
        side = Side(marks[0], marks[1], here != there)
        base = sides.before.resources.get(parent, {}).get(part)
        standing = status(side, base, apart=False, says=marks[2], promised=marks[0])
        sides.says[parent, part] = marks[2]
        sides.sides[parent, part], sides.held[parent, part], sides.orders[parent, part] = side, None, standing
        if sides.takes_order((parent, part)) and parent not in declared:
            sides.news += [parent, *here]
        for address in here:
            _moved(sides, address, standing, changes.get(address))


def _moved(sides: ThreeSides, address: str, standing: Status, change: Change | None) -> None:
    """Tell of what does not stand at its place; among equal orders, something new has moved it."""
    for item in change.attributes if change is not None else ():
        if arranges(sides.kinds[kind_of(address)], item.name):
            before, after = item.places or (item.before, item.after)
            sides.rows.append(
                PromotionRow(address, item.name, "here" if standing == "same" else standing, after, before)
            )


def arrangements(sides: ThreeSides, fresh: Collection[str], orders: Collection[Name]) -> list[Arrangement]:
    """Return how the target's files are to be arranged: each new entry where the source has it, and all others in
    these orders.
    """
    mine = {address: entry.live for address, entry in sides.exported.items()}
    declared, arranged = sides.theirs.desired.resources, []
    for parent, addresses in by_parent(mine.keys() | declared.keys(), sides.kinds).items():
        name = (parent, inside(addresses[0], sides.kinds))
        have = [own_key(address) for address in in_files(addresses, declared)]
        there = [address for address in in_account(addresses, mine) if address in declared or address in fresh]
        keys = interleaved(have, [own_key(address) for address in there], settled=name not in orders)
        added = sorted(own_key(address) for address in there if address not in declared)
        if parent in declared and keys != [*have, *added]:
            arranged.append(Arrangement(*name, tuple(keys)))
    return arranged
