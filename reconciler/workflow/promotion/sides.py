"""The three sides of a promotion: what both accounts hold, what the files say, and what was remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import ProposedEdit
from reconciler.deriving.copying import listing
from reconciler.deriving.exported import Exported
from reconciler.deriving.memberships import memberships
from reconciler.deriving.promoting import PromotionChoice, PromotionRow, Side, Status, with_empty
from reconciler.deriving.redaction import Hiding
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.plan import Plan
from reconciler.model.records import mutable
from reconciler.model.values import Value
from reconciler.planning.bindings import revealer
from reconciler.workflow.observation.contents import AccountContents
from reconciler.workflow.opening.session import Session
from reconciler.workflow.promotion.remembered import remembered

Name = tuple[str, str]


@mutable
class ThreeSides:
    """Both configurations, both accounts, and what the last promotion remembered."""

    source: Session
    target: Session
    choice: PromotionChoice
    mine: Loaded
    theirs: Loaded
    one: AccountContents
    other: AccountContents
    left_out: list[str]
    rows: list[PromotionRow] = field(default_factory=list)
    proposals: list[ProposedEdit] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    sides: dict[Name, Side] = field(default_factory=dict)
    held: dict[Name, Value] = field(default_factory=dict)
    """What the target's account holds of each attribute that was looked at."""
    says: dict[Name, str] = field(default_factory=dict)
    """What the target's files say of each attribute, as hashes; empty for nothing."""
    same: int = 0
    orders: dict[Name, Status] = field(default_factory=dict)
    """Whose change the order is of what stands in something, by (address, attribute of that)."""
    wanted: Mapping[str, Resource] = field(init=False)
    """What the source holds, as the target would declare it; known once the sides are compared, as is the next."""
    made: Plan = field(init=False)
    """What an apply of that would do to the target."""

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

    def covers(self, address: str) -> bool:
        """Return whether an address is of a kind that this promotion is about."""
        kind = kind_of(address)
        return kind in self.one.seen.lives and (self.choice.kinds is None or kind in self.choice.kinds)

    def named(self, *statuses: Status) -> set[Name]:
        """Return the attributes whose rows have one of these states."""
        return {(row.address, row.name) for row in self.rows if row.status in statuses}

    def takes_order(self, name: Name) -> bool:
        """Return whether the files get the source's order of what stands in something."""
        standing = self.orders.get(name)
        return standing == "here" or (standing == "colliding" and self.choice.overrule)
