"""What a promotion remembers of both sides, for the next one."""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import Rewriting
from reconciler.deriving.promoting import Base, Promotion, addresses_of, hashed, names_of, opened
from reconciler.model.address import kind_of
from reconciler.model.values import Value
from reconciler.planning.diff import within
from reconciler.workflow.promotion_sides import ThreeSides


def record_of(sides: ThreeSides, rewriting: Rewriting, after: Loaded) -> str:
    """Return what to remember: both sides as they are, and what the target is to become."""
    refused = {(refusal.address, refusal.name) for refusal in rewriting.refused}
    open_ones = {(row.address, row.name) for row in sides.rows if row.status in ("there", "colliding")}
    if sides.choice.overrule:
        open_ones = {(row.address, row.name) for row in sides.rows if row.status == "there"}
    open_ones |= {name for name, found in sides.orders.items() if found in ("there", "colliding")}
    open_ones -= {name for name in sides.orders if sides.takes_order(name)}
    apart = {(row.address, row.name) for row in sides.rows if row.status == "kept"}
    found: dict[str, dict[str, Base]] = {}
    there = names_of(sides.other.seen, sides.kinds, {})
    for (address, name), side in sides.sides.items():
        old = sides.before.resources.get(address, {}).get(name)
        if (address, name) in open_ones | refused:
            if old is not None:
                found.setdefault(address, {})[name] = old
            continue
        base = Base(here=side.here, there=[side.there], apart=(address, name) in apart)
        if sides.takes_order((address, name)):
            base.there = [side.there, side.here]
        declared = after.desired.resources.get(address)
        if declared is not None and name in declared.attrs:
            attribute = sides.kinds[declared.kind].attributes[name]
            promised = hashed(opened(declared.attrs[name], sides.target.secret), attribute, there, sides.before.salt)
            # Of a map, what an apply has not changed yet is compared as far as the files speak of it.
            so_far = within(attribute, declared.attrs[name], sides.held[address, name])
            before = hashed(so_far, attribute, there, sides.before.salt)
            base.there = list(dict.fromkeys([side.there, before, promised]))
        found.setdefault(address, {})[name] = base
    for address in sides.news:
        if address in after.desired.resources:
            found.setdefault(address, {}).update(_promised(sides, address, after, there))
    kept = {address: one for address, one in sides.before.resources.items() if _keeps(sides, address, after)}
    whole = Promotion(salt=sides.before.salt, resources=dict(sorted({**kept, **found}.items())))
    return json.dumps(whole.model_dump(), indent=1, sort_keys=True) + "\n"


def _promised(sides: ThreeSides, address: str, after: Loaded, there: Callable[[Value], Value]) -> dict[str, Base]:
    """Return the record of an object that the target does not hold yet."""
    here = names_of(sides.one.seen, sides.kinds, addresses_of({a: e.live.id for a, e in sides.exported.items()}))
    found = {}
    for name, value in sides.exported[address].resource.attrs.items():
        attribute, salt = sides.kinds[kind_of(address)].attributes[name], sides.before.salt
        declared = after.desired.resources[address].attrs.get(name, sides.wanted[address].attrs.get(name))
        promised = hashed(opened(declared, sides.target.secret), attribute, there, salt)
        found[name] = Base(here=hashed(value, attribute, here, salt), there=[promised])
    return found


def _keeps(sides: ThreeSides, address: str, after: Loaded) -> bool:
    """Return whether an object that was not looked at stays known: it was out of scope, or nothing was pruned."""
    return not sides.covers(address) or address in after.desired.resources
