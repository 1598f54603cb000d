"""The three sides of a promotion: what both accounts hold, what the files say, and what was remembered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.config import Loaded
from reconciler.config.writing.arranging import interleaved
from reconciler.config.writing.rewriting import Arrangement, ProposedEdit
from reconciler.deriving.copying import Portable, listing, only_there, portable, unseen
from reconciler.deriving.export import Exported
from reconciler.deriving.memberships import memberships
from reconciler.deriving.promoting import (
    WHOLE,
    Choice,
    Row,
    Side,
    Status,
    addresses_of,
    asked_of,
    at_path,
    hashed,
    names_of,
    only_lacks,
    opened,
    status,
    with_empty,
)
from reconciler.deriving.redaction import Hiding
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.plan import AttributeChange, Change, Plan
from reconciler.model.spec import Attribute, Ensure
from reconciler.model.values import Value
from reconciler.planning.bindings import revealer
from reconciler.planning.context import Inputs
from reconciler.planning.diff import beside, within
from reconciler.planning.rosters import with_own
from reconciler.workflow.arrangements import arranges, by_parent, in_account, in_files, inside, own_key
from reconciler.workflow.contents import AccountContents, met, pairs
from reconciler.workflow.remembered import remembered
from reconciler.workflow.session import Session

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
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


@dataclass
class ThreeSides:
    """Both configurations, both accounts, and what the last promotion remembered."""

    source: Session
    target: Session
    choice: Choice
    mine: Loaded
    theirs: Loaded
    one: AccountContents
    other: AccountContents
    left_out: list[str]
    rows: list[Row] = field(default_factory=list)
    proposals: list[ProposedEdit] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    sides: dict[Name, Side] = field(default_factory=dict)
    held: dict[Name, Value] = field(default_factory=dict)
    """What the target's account holds of each attribute that was looked at."""
    same: int = 0
    orders: dict[Name, Status] = field(default_factory=dict)
    """Whose change the order is of what stands in something, by (address, attribute of that)."""

    def __post_init__(self) -> None:
        self.kinds = self.target.kinds
        self.listing = listing(self.other.seen, self.kinds)
        self.other_side = {(entry.live.kind, entry.live.id): entry for entry in self.other.exported}
        self.before = remembered(self.target, self.one.name, self.other.name)
        self.shared = memberships(self.kinds)
        state = self.other.state
        self.reveal = revealer(self.target.secret, state.resources, self.other.seen, state.salt)
        self.one = replace(self.one, exported=[self._with_empty(entry) for entry in self.one.exported])
        self.exported: dict[str, Exported] = {entry.resource.address: entry for entry in self.one.exported}
        self.hiding = Hiding(self.kinds, redactor=self.target.redactor)

    def look(self) -> Portable:
        """Compare the sides, and return what of the source can be carried over."""
        carried = portable(self.one.exported, self.other.seen, self.kinds, self.other.state.resources)
        self._lost()
        own = with_own(carried.desired, self.theirs.desired, self.kinds, self.gone if self.choice.prune else ())
        inputs = Inputs(
            desired=own,
            state=self.other.state,
            snapshot=self.other.seen,
            kinds=self.kinds,
            secret=self.target.secret,
            eyes=self.other.eyes,
            compares=True,
        )
        inputs, plan = met(inputs, self.one.exported)
        self.wanted, self.ids = inputs.desired.resources, plan.ids
        self.made = plan
        self._look(plan)
        return carried

    def partly(self, entry: Exported) -> list[str]:
        """Return what of an object is not declared, without memberships: what becomes of those is told apart."""
        return [why for name, why in entry.partly.items() if (entry.resource.kind, name) not in self.shared]

    def _with_empty(self, entry: Exported) -> Exported:
        """Return what the source holds, with what it shows empty where the files of the target, or the last promotion,
        know of a value: there, to be empty is a value like any other.
        """
        address = entry.resource.address
        declared = self.theirs.desired.resources.get(address)
        declared_attrs = declared.attrs if declared is not None else {}
        known = {name for name, value in declared_attrs.items() if not values.is_empty_or_off(value)}
        return with_empty(entry, self.kinds[entry.resource.kind], known | self.before.resources.get(address, {}).keys())

    def _look(self, plan: Plan) -> None:
        changes = {change.address: change for change in plan.changes}
        unknown = {skip.address: skip.reason for skip in plan.skipped}
        lives = pairs(plan, self.other.seen)
        here = names_of(self.one.seen, self.kinds, addresses_of({a: e.live.id for a, e in self.exported.items()}))
        there = names_of(self.other.seen, self.kinds, addresses_of(plan.ids))
        for address, resource in self.wanted.items():
            if self.exported[address].problem:
                continue
            change, live = changes.get(address), lives.get(address)
            if live is None and address in unknown:
                self.left_out.append(f"{address}: of {self.other.name}: {unknown[address]}")
                continue
            if live is None:
                self._missing(address)
                continue
            blind = unseen(resource, live, self.kinds[resource.kind])
            self.left_out += [f"{address}: `{name}` is not shown by {self.other.name}" for name in blind]
            for name in resource.attrs:
                if name not in blind:
                    self._attribute(address, name, change, live, here, there)
            self._emptied(address, live)
        self._orders(changes, lives)

    def _lost(self) -> None:
        """Find what the source held once and has lost, of what the target's files declare."""
        known = {*self.before.resources, *self.one.state.resources}
        for address in sorted(known & self.theirs.desired.resources.keys()):
            if address not in self.exported and self.covers(address):
                why = self.one.eyes.why if self.one.eyes is not None else ""
                if why and self.kinds[kind_of(address)].reading.filtered:
                    self.left_out.append(f"{address}: {self.one.name} does not show it, which proves nothing: {why}")
                    continue
                self.gone.append(address)
                self.rows.append(Row(address, WHOLE, "here", note=f"{self.one.name} does not hold it any more"))

    def covers(self, address: str) -> bool:
        """Return whether an address is of a kind that this promotion is about."""
        kind = kind_of(address)
        return kind in self.one.seen.lives and (self.choice.kinds is None or kind in self.choice.kinds)

    def _emptied(self, address: str, live: Live) -> None:
        """Name what only the target's object has and nothing says to be empty: no promotion empties that."""
        kind = self.kinds[live.kind]
        declared = self.theirs.desired.resources.get(address)
        for path, shown in only_there(self.exported[address], live, kind, self.listing).items():
            if (live.kind, path[0]) in self.shared:
                continue
            value = declared.attrs.get(path[0]) if declared is not None else None
            if not shown:
                why = f"is not shown by {self.one.name}, and {self.other.name} has a value"
            elif len(path) > 1 and not values.is_empty_or_off(at_path(kind.attributes[path[0]], value, path[1:])):
                if self.choice.prune:
                    continue  # a row says it
                why = f"is not in {self.one.name}; the files of {self.other.name} declare it, and --prune takes it out"
            else:
                why = f"is empty in {self.one.name}, and only {self.other.name} has a value, which nothing declares"
            self.left_out.append(f"{address}: `{'.'.join(path)}` {why}")
        entry = self.other_side.get((live.kind, live.id))
        self.left_out += [f"{address}: of {self.other.name}: {why}" for why in (self.partly(entry) if entry else ())]

    def _missing(self, address: str) -> None:
        """The target's account does not hold the object."""
        if address in self.theirs.desired.resources:
            self.rows.append(Row(address, WHOLE, "waiting", note="an apply creates it"))
        elif address in self.before.resources:
            note = f"{self.other.name} held it at the last promotion"
            self.rows.append(Row(address, WHOLE, "there", note=note))
        else:
            self.rows.append(Row(address, WHOLE, "here", note="new"))
            self.news.append(address)

    def _attribute(
        self,
        address: str,
        name: str,
        change: Change | None,
        live: Live,
        here: Callable[[Value], Value],
        there: Callable[[Value], Value],
    ) -> None:
        attribute = self.kinds[live.kind].attributes[name]
        mine, theirs = self.exported[address].resource.attrs[name], live.attrs.get(name)
        item = self._item(change, attribute, theirs)
        if name not in live.attrs and item is None:
            return
        digest = _Digests(attribute, here, there, self.before.salt)
        declared = self.theirs.desired.resources.get(address)
        stands = declared is not None and name in declared.attrs
        value = declared.attrs[name] if declared is not None and stands else None
        asked = asked_of(attribute, value, self.wanted[address].attrs[name], theirs, prune=self.choice.prune)
        side = Side(digest.source(mine), digest.target(within(attribute, value, theirs)), item is not None)
        self.sides[address, name], self.held[address, name] = side, theirs
        promised = digest.target(asked)
        says = digest.target(opened(value, self.reveal)) if stands else ""
        standing = status(
            side,
            self.before.resources.get(address, {}).get(name),
            apart=self._apart(address, name),
            written=says == promised,
            settled=says == side.there,
        )
        # Where the files say nothing, an apply fills what must not be empty (`Ensure`): what is meant to be so is said.
        differently = says != promised if stands else declared is not None and attribute.has(Ensure) and mine == []
        if self._takes(standing, differently=differently):
            self._propose(address, name, declared, asked)
        self._tell(address, name, standing, item, beside(attribute, asked, value))

    def _item(self, change: Change | None, attribute: Attribute, theirs: Value) -> AttributeChange | None:
        """Return how an attribute differs; None where the target only has more, and nothing is pruned."""
        items = change.attributes if change is not None else ()
        item = next((item for item in items if item.name == attribute.name), None)
        if item is not None and not self.choice.prune and only_lacks(attribute, item.after, theirs):
            return None
        return item

    def _takes(self, standing: Status, *, differently: bool) -> bool:
        """Return whether the files of the target are to say what the source holds."""
        if standing == "same":
            return differently
        return standing == "here" or (standing == "colliding" and self.choice.overrule)

    def _tell(
        self, address: str, name: str, standing: Status, item: AttributeChange | None, gone: Iterable[tuple[str, ...]]
    ) -> None:
        self.same += standing == "same"
        if standing != "same" and item is not None:
            self.rows.append(_row_of(address, standing, item))
        elif self.choice.prune and (paths := ", ".join(".".join(path) for path in gone)):
            note = f"{self.one.name} does not hold {paths} any more"
            self.rows.append(Row(address, name, "here", note=note))

    def named(self, *statuses: Status) -> set[Name]:
        """Return the attributes whose rows have one of these states."""
        return {(row.address, row.name) for row in self.rows if row.status in statuses}

    def _orders(self, changes: Mapping[str, Change], lives: Mapping[str, Live]) -> None:
        """Compare in which order both sides have what stands in something else."""
        mine = {address: entry.live for address, entry in self.exported.items() if not entry.problem}
        declared = self.theirs.desired.resources
        for parent, addresses in by_parent(mine.keys() & self.wanted.keys(), self.kinds).items():
            if parent not in lives:
                continue
            part = inside(addresses[0], self.kinds)
            here = [address for address in in_account(addresses, mine) if address in lives]
            there, files = in_account(here, lives), in_files(here, declared)
            attribute, salt = self.kinds[kind_of(parent)].attributes[part], self.before.salt
            marks = [hashed([*order], attribute, lambda leaf: leaf, salt) for order in (here, there)]
            side = Side(marks[0], marks[1], here != there)
            base = self.before.resources.get(parent, {}).get(part)
            standing = status(side, base, apart=False, written=files == here, settled=files == there)
            self.sides[parent, part], self.held[parent, part], self.orders[parent, part] = side, None, standing
            if self.takes_order((parent, part)) and parent not in declared:
                self.news += [parent, *here]
            for address in here:
                self._moved(address, standing, changes.get(address))

    def takes_order(self, name: Name) -> bool:
        """Return whether the files get the source's order of what stands in something."""
        standing = self.orders.get(name)
        return standing == "here" or (standing == "colliding" and self.choice.overrule)

    def _moved(self, address: str, standing: Status, change: Change | None) -> None:
        """Tell of what does not stand at its place; among equal orders, something new has moved it."""
        for item in change.attributes if change is not None else ():
            if arranges(self.kinds[kind_of(address)], item.name):
                before, after = item.places or (item.before, item.after)
                self.rows.append(Row(address, item.name, "here" if standing == "same" else standing, after, before))

    def arrangements(self, fresh: Collection[str], orders: Collection[Name]) -> list[Arrangement]:
        """Return how the target's files are to be arranged: each new entry where the source has it, and all others in
        these orders.
        """
        mine = {address: entry.live for address, entry in self.exported.items()}
        declared, arranged = self.theirs.desired.resources, []
        for parent, addresses in by_parent(mine.keys() | declared.keys(), self.kinds).items():
            name = (parent, inside(addresses[0], self.kinds))
            have = [own_key(address) for address in in_files(addresses, declared)]
            there = [address for address in in_account(addresses, mine) if address in declared or address in fresh]
            keys = interleaved(have, [own_key(address) for address in there], settled=name not in orders)
            added = sorted(own_key(address) for address in there if address not in declared)
            if parent in declared and keys != [*have, *added]:
                arranged.append(Arrangement(*name, tuple(keys)))
        return arranged

    def _propose(self, address: str, name: str, declared: Resource | None, asked: Value) -> None:
        wanted = self.wanted[address]
        resource = self.hiding.resource(replace(wanted, attrs={**wanted.attrs, name: asked}))
        if declared is None:
            self.news.append(address)
            return
        self.proposals.append(ProposedEdit(declared, self.kinds[resource.kind].attributes[name], resource.attrs[name]))

    def _apart(self, address: str, name: str) -> bool:
        """Return whether the target's files set a value apart: in an overlay, or by a variable."""
        entry = self.theirs.places.entry(address, name)
        if entry is None:
            return False
        return entry.key.source in self.theirs.places.overlays or self.theirs.places.filled(entry)


def _row_of(address: str, standing: Status, item: AttributeChange) -> Row:
    """Return the line of an attribute that differs; what is sensitive is not in it."""
    if item.sensitive:
        return Row(address, item.name, standing, None, None, "sensitive")
    return Row(address, item.name, standing, values.encode(item.after), values.encode(item.before), "")
