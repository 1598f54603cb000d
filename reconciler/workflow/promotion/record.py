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
from reconciler.workflow.promotion.sides import Name, ThreeSides


def record_of(sides: ThreeSides, rewriting: Rewriting, after: Loaded) -> str:
    """Return what to remember: both sides as they are, and what the target is to become."""
    open_names = sides.named("there") if sides.choice.overrule else sides.named("there", "colliding")
    open_names |= {name for name, order in sides.orders.items() if order in ("there", "colliding")}
    open_names -= {name for name in sides.orders if sides.takes_order(name)}
    unsettled = open_names | {(refusal.address, refusal.name) for refusal in rewriting.refused}
    apart = sides.named("kept")
    bases: dict[str, dict[str, Base]] = {}
    there = names_of(sides.other.seen, sides.kinds, {})
    for (address, name), side in sides.sides.items():
        if (address, name) not in unsettled:
            meant = _meant(sides, (address, name), after, there)
            known = list(dict.fromkeys([side.there, *meant]))
            bases.setdefault(address, {})[name] = Base(here=side.here, there=known, apart=(address, name) in apart)
        elif (old := sides.before.resources.get(address, {}).get(name)) is not None:
            bases.setdefault(address, {})[name] = old
    for address in sides.news:
        if address in after.desired.resources:
            bases.setdefault(address, {}).update(_promised(sides, address, after, there))
    kept = {address: old for address, old in sides.before.resources.items() if _keeps(sides, address, after)}
    whole = Promotion(salt=sides.before.salt, resources=dict(sorted({**kept, **bases}.items())))
    return json.dumps(whole.model_dump(), indent=1, sort_keys=True) + "\n"


def _meant(sides: ThreeSides, place: Name, after: Loaded, there: Callable[[Value], Value]) -> list[str]:
    """Return the hashes of what the target may hold of an attribute that its files declare: what it holds of that
    before an apply, and what they say.
    """
    address, name = place
    declared = after.desired.resources.get(address)
    if declared is None or name not in declared.attrs:
        return [sides.sides[place].here] if sides.takes_order(place) else []
    attribute, salt = sides.kinds[declared.kind].attributes[name], sides.before.salt
    # Of a map, what an apply has not changed yet is compared as far as the files speak of it.
    so_far = within(attribute, declared.attrs[name], sides.held[address, name])
    promised = opened(declared.attrs[name], sides.reveal)
    return [hashed(value, attribute, there, salt) for value in (so_far, promised)]


def _promised(sides: ThreeSides, address: str, after: Loaded, there: Callable[[Value], Value]) -> dict[str, Base]:
    """Return the record of an object that the target does not hold yet."""
    here = names_of(sides.one.seen, sides.kinds, addresses_of({a: e.live.id for a, e in sides.exported.items()}))
    bases = {}
    for name, value in sides.exported[address].resource.attrs.items():
        attribute, salt = sides.kinds[kind_of(address)].attributes[name], sides.before.salt
        declared = after.desired.resources[address].attrs.get(name, sides.wanted[address].attrs.get(name))
        promised = hashed(opened(declared, sides.reveal), attribute, there, salt)
        bases[name] = Base(here=hashed(value, attribute, here, salt), there=[promised])
    return bases


def _keeps(sides: ThreeSides, address: str, after: Loaded) -> bool:
    """Return whether an object that was not looked at stays known: it was out of scope, or nothing was pruned."""
    return not sides.covers(address) or address in after.desired.resources
