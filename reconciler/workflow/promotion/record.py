"""What a promotion remembers of both sides, for the next one."""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import Rewriting
from reconciler.deriving.promoting import Base, Promotion, addresses_of, begun, hashed, names_of, opened
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
    here = names_of(sides.one.seen, sides.kinds, addresses_of({a: e.live.id for a, e in sides.exported.items()}))
    there = names_of(sides.other.seen, sides.kinds, {})
    for address, name in sides.sides:
        if (address, name) not in unsettled:
            meant = _meant(sides, (address, name), after, there)
            bases.setdefault(address, {})[name] = _compared(
                sides, (address, name), meant, apart=(address, name) in apart
            )
        elif (old := sides.before.resources.get(address, {}).get(name)) is not None:
            bases.setdefault(address, {})[name] = old
    for address in sides.news:
        if address in after.desired.resources:
            bases[address] = {**_promised(sides, address, after, here, there), **bases.get(address, {})}
    kept = {address: old for address, old in sides.before.resources.items() if _keeps(sides, address, after)}
    return _written(Promotion(salt=sides.before.salt, resources={**kept, **_pruned(sides, after), **bases}))


def _written(promotion: Promotion) -> str:
    """Return the record as text, without members that say nothing: few lines are to differ from one to the next."""
    lines = {
        address: {name: base.model_dump(exclude=set() if base.before else {"before"}) for name, base in bases.items()}
        for address, bases in promotion.resources.items()
    }
    return json.dumps({**promotion.model_dump(), "resources": lines}, indent=1, sort_keys=True) + "\n"


def _compared(sides: ThreeSides, place: Name, meant: list[str], *, apart: bool) -> Base:
    """Return the record of an attribute that both sides hold."""
    side = sides.sides[place]
    base = Base(here=side.here, there=list(dict.fromkeys([side.there, *meant])), apart=apart)
    then = meant[-1] if meant else sides.says[place]
    return _following(sides, place, base, then) if side.differs and not apart else base


def _following(sides: ThreeSides, place: Name, base: Base, then: str) -> Base:
    """Return what to remember of what the files say now and `then`, and of what was remembered until now."""
    old, says = sides.before.resources.get(place[0], {}).get(place[1]), sides.says.get(place, "")
    return old.followed_by(base, says, then) if old is not None else begun(base, says, then)


def _pruned(sides: ThreeSides, after: Loaded) -> dict[str, dict[str, Base]]:
    """Return what was remembered of the declarations that were taken out, as long as the target holds the objects: it
    holds again once they are back, and nothing is remembered while they are out.
    """
    held = {entry.resource.address for entry in sides.other.exported}
    olds = {address: sides.before.resources.get(address, {}) for address in sides.gone if address in held}
    return {
        address: {name: base.model_copy(update={"before": {**base.before, "": None}}) for name, base in old.items()}
        for address, old in olds.items()
        if address not in after.desired.resources
    }


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


def _promised(
    sides: ThreeSides, address: str, after: Loaded, here: Callable[[Value], Value], there: Callable[[Value], Value]
) -> dict[str, Base]:
    """Return the record of a declaration that the target is to hold."""
    bases = {}
    for name, value in sides.exported[address].resource.attrs.items():
        attribute, salt = sides.kinds[kind_of(address)].attributes[name], sides.before.salt
        declared = after.desired.resources[address].attrs.get(name, sides.wanted[address].attrs.get(name))
        promised = hashed(opened(declared, sides.reveal), attribute, there, salt)
        base = Base(here=hashed(value, attribute, here, salt), there=[promised])
        bases[name] = _following(sides, (address, name), base, promised)
    return bases


def _keeps(sides: ThreeSides, address: str, after: Loaded) -> bool:
    """Return whether an object that was not looked at stays known: it was out of scope, or nothing was pruned."""
    return not sides.covers(address) or address in after.desired.resources
