"""How the two sides of a promotion differ, whose change each difference is, and what the files are to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reconciler.config.writing.rewriting import ProposedEdit
from reconciler.deriving.copying import Portable, portable, unseen
from reconciler.deriving.promoting import (
    PromotionRow,
    Side,
    Status,
    addresses_of,
    asked_of,
    hashed,
    names_of,
    only_lacks,
    opened,
    status,
)
from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.plan import AttributeChange, Change, Plan
from reconciler.model.records import record
from reconciler.model.spec import Attribute, Ensure
from reconciler.model.values import Value
from reconciler.planning.context import Inputs
from reconciler.planning.diff import beside, within
from reconciler.planning.document import encoded
from reconciler.planning.rosters import with_own
from reconciler.workflow.observation.contents import met, pairs
from reconciler.workflow.promotion.gaps import find_emptied, find_lost, find_missing
from reconciler.workflow.promotion.orders import compare_orders
from reconciler.workflow.promotion.sides import ThreeSides


@record
class _Digests:
    """The digests of an attribute by which values of the source and of the target are compared."""

    attribute: Attribute
    here: Callable[[Value], Value]
    there: Callable[[Value], Value]
    salt: str

    def source(self, value: Value) -> str:
        """Return the digest of a value with the source's references."""
        return hashed(value, self.attribute, self.here, self.salt)

    def target(self, value: Value) -> str:
        """Return the digest of a value with the target's references."""
        return hashed(value, self.attribute, self.there, self.salt)


def look(sides: ThreeSides) -> Portable:
    """Compare the sides, and return what of the source can be carried over."""
    carried = portable(sides.one.exported, sides.other.seen, sides.kinds, sides.other.state.resources)
    find_lost(sides)
    own = with_own(carried.desired, sides.theirs.desired, sides.kinds, sides.gone if sides.choice.prune else ())
    inputs = Inputs(
        desired=own,
        state=sides.other.state,
        snapshot=sides.other.seen,
        kinds=sides.kinds,
        secret=sides.target.secret,
        eyes=sides.other.eyes,
        compares=True,
    )
    inputs, plan = met(inputs, sides.one.exported)
    sides.wanted, sides.made = inputs.desired.resources, plan
    _look(sides, plan)
    return carried


def _look(sides: ThreeSides, plan: Plan) -> None:
    changes = {change.address: change for change in plan.changes}
    unknown = {skip.address: skip.reason for skip in plan.skipped}
    lives = pairs(plan, sides.other.seen)
    here = names_of(sides.one.seen, sides.kinds, addresses_of({a: e.live.id for a, e in sides.exported.items()}))
    there = names_of(sides.other.seen, sides.kinds, addresses_of(plan.ids))
    for address, resource in sides.wanted.items():
        if sides.exported[address].problem:
            continue
        change, live = changes.get(address), lives.get(address)
        if live is None and address in unknown:
            sides.left_out.append(f"{address}: of {sides.other.name}: {unknown[address]}")
            continue
        if live is None:
            find_missing(sides, address)
            continue
        blind = unseen(resource, live, sides.kinds[resource.kind])
        sides.left_out += [f"{address}: `{name}` is not shown by {sides.other.name}" for name in blind]
        for name in resource.attrs:
            if name not in blind:
                _attribute(sides, address, name, change, live, here, there)
        find_emptied(sides, address, live)
    compare_orders(sides, changes, lives)


def _attribute(
    sides: ThreeSides,
    address: str,
    name: str,
    change: Change | None,
    live: Live,
    here: Callable[[Value], Value],
    there: Callable[[Value], Value],
) -> None:
    attribute = sides.kinds[live.kind].attributes[name]
    mine, theirs = sides.exported[address].resource.attrs[name], live.attrs.get(name)
    item = _item(sides, change, attribute, theirs)
    if name not in live.attrs and item is None:
        return
    digest = _Digests(attribute, here, there, sides.before.salt)
    declared = sides.theirs.desired.resources.get(address)
    stands = declared is not None and name in declared.attrs
    value = declared.attrs[name] if declared is not None and stands else None
    asked = asked_of(attribute, value, sides.wanted[address].attrs[name], theirs, prune=sides.choice.prune)
    side = Side(digest.source(mine), digest.target(within(attribute, value, theirs)), item is not None)
    sides.sides[address, name], sides.held[address, name] = side, theirs
    promised = digest.target(asked)
    says = sides.says[address, name] = digest.target(opened(value, sides.reveal)) if stands else ""
    standing = status(
        side,
        sides.before.resources.get(address, {}).get(name),
        apart=_apart(sides, address, name),
        says=says,
        promised=promised,
    )
    # Where the files say nothing, an apply fills what must not be empty (`Ensure`): what is meant to be so is said.
    differently = says != promised if stands else declared is not None and attribute.has(Ensure) and mine == []
    if _takes(sides, standing, differently=differently):
        _propose(sides, address, name, declared, asked)
    _tell(sides, address, name, standing, item, beside(attribute, asked, value))


def _item(sides: ThreeSides, change: Change | None, attribute: Attribute, theirs: Value) -> AttributeChange | None:
    """Return how an attribute differs; None where the target only has more, and nothing is pruned."""
    items = change.attributes if change is not None else ()
    item = next((item for item in items if item.name == attribute.name), None)
    if item is not None and not sides.choice.prune and only_lacks(attribute, item.after, theirs):
        return None
    return item


def _takes(sides: ThreeSides, standing: Status, *, differently: bool) -> bool:
    """Return whether the files of the target are to say what the source holds."""
    if standing == "same":
        return differently
    return standing == "here" or (standing == "colliding" and sides.choice.overrule)


def _tell(
    sides: ThreeSides,
    address: str,
    name: str,
    standing: Status,
    item: AttributeChange | None,
    gone: Iterable[tuple[str, ...]],
) -> None:
    sides.same += standing == "same"
    if standing != "same" and item is not None:
        sides.rows.append(_row_of(address, standing, item, sides.made.ids))
    elif sides.choice.prune and (paths := ", ".join(".".join(path) for path in gone)):
        note = f"{sides.one.name} does not hold {paths} any more"
        sides.rows.append(PromotionRow(address, name, "here", note=note))


def _propose(sides: ThreeSides, address: str, name: str, declared: Resource | None, asked: Value) -> None:
    wanted = sides.wanted[address]
    resource = sides.hiding.resource(wanted._replace(attrs={**wanted.attrs, name: asked}))
    if declared is None:
        sides.news.append(address)
        return
    sides.proposals.append(ProposedEdit(declared, sides.kinds[resource.kind].attributes[name], resource.attrs[name]))


def _apart(sides: ThreeSides, address: str, name: str) -> bool:
    """Return whether the target's files set a value apart: in an overlay, or by a variable."""
    entry = sides.theirs.places.entry(address, name)
    if entry is None:
        return False
    return entry.key.source in sides.theirs.places.overlays or sides.theirs.places.filled(entry)


def _row_of(address: str, standing: Status, item: AttributeChange, ids: Mapping[str, str]) -> PromotionRow:
    """Return the line of an attribute that differs; what is sensitive is not in it. Objects go by their addresses."""
    if item.sensitive:
        return PromotionRow(address, item.name, standing, None, None, "sensitive")
    here, there = (encoded(side, ids, sensitive=False) for side in (item.after, item.before))
    return PromotionRow(address, item.name, standing, here, there, "")
