"""The three sides of a promotion: what both accounts hold, what the files say, and what was remembered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import ProposedEdit
from reconciler.deriving.copying import Portable, listing, only_there, portable, unmatched, unseen
from reconciler.deriving.export import Exported
from reconciler.deriving.promoting import (
    WHOLE,
    Choice,
    Row,
    Side,
    addresses_of,
    asked_of,
    hashed,
    names_of,
    only_lacks,
    opened,
    status,
)
from reconciler.deriving.redaction import Hiding
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.kind import Live
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.spec import Ensure
from reconciler.model.values import Ref, RemoteId, Value, items_of
from reconciler.planning.context import Inputs
from reconciler.planning.diff import beside, within
from reconciler.planning.rosters import roster_of, with_own
from reconciler.workflow.contents import AccountContents, met, pairs
from reconciler.workflow.remembered import remembered
from reconciler.workflow.session import Session

Name = tuple[str, str]


@dataclass
class ThreeSides:
    """Both configurations, both accounts, and what the last promotion remembered. Use `three_sides`."""

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

    def __post_init__(self) -> None:
        self.kinds = self.target.kinds
        self.listing = listing(self.other.seen, self.kinds)
        self.other_side = {(entry.live.kind, entry.live.id): entry for entry in self.other.exported}
        self.exported: dict[str, Exported] = {entry.resource.address: entry for entry in self.one.exported}
        self.before = remembered(self.target, self.one.name, self.other.name)
        self.hiding = Hiding(self.kinds, redactor=self.target.redactor)

    def look(self) -> Portable:
        """Compare the sides, and return what of the source can be carried over."""
        carried = portable(self.one.exported, self.other.seen, self.kinds, self.other.state.resources)
        own = with_own(carried.desired, self.theirs.desired, self.kinds)
        inputs = Inputs(
            desired=own,
            state=self.other.state,
            snapshot=self.other.seen,
            kinds=self.kinds,
            secret=self.target.secret,
            eyes=self.other.eyes,
            compares=True,
        )
        inputs, made = met(inputs, self.one.exported)
        self.wanted, self.ids = inputs.desired.resources, made.ids
        self._look(made)
        return carried

    def _look(self, made: Plan) -> None:
        changes = {change.address: change for change in made.changes}
        unknown = {skip.address: skip.reason for skip in made.skipped}
        lives = pairs(made, self.other.seen)
        here = names_of(self.one.seen, self.kinds, addresses_of({a: e.live.id for a, e in self.exported.items()}))
        there = names_of(self.other.seen, self.kinds, addresses_of(made.ids))
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
        for address in sorted(
            {*self.before.resources, *self.one.state.resources} & self.theirs.desired.resources.keys()
        ):
            if address not in self.exported and self.covers(address):
                why = self.one.eyes.why if self.one.eyes is not None else ""
                if why and self.kinds[kind_of(address)].reading.filtered:
                    self.left_out.append(f"{address}: {self.one.name} does not show it, which proves nothing: {why}")
                    continue
                self.gone.append(address)
                note = f"{self.one.name} does not hold it any more"
                self.rows.append(Row(address, WHOLE, "here", None, None, note))
        self._unmatched(made)

    def _unmatched(self, made: Plan) -> None:
        """Name the objects that only the target holds: nothing is removed by a promotion."""
        known = self.other.state.resources
        found = {*unmatched(made, self.other.seen, self.kinds, self.wanted, known)}
        found |= {change.address for change in made.changes if change.action is Action.DELETE}
        told = {row.address for row in self.rows} | {line.partition(":")[0] for line in self.left_out}
        by_reason: dict[tuple[str, str], list[str]] = defaultdict(list)
        for address in sorted(found - told):
            if self.covers(address):
                by_reason[kind_of(address), self._why_only_there(kind_of(address))].append(address)
        self.left_out += [f"{', '.join(addresses)}: {why}" for (_, why), addresses in by_reason.items()]

    def _why_only_there(self, kind: str) -> str:
        why = self.one.eyes.why if self.one.eyes is not None else ""
        if why and self.kinds[kind].reading.filtered:
            return f"{self.one.name} does not show it, which proves nothing: {why}"
        return f"only {self.other.name} holds it, and a promotion removes nothing"

    def covers(self, address: str) -> bool:
        """Return whether an address is of a kind that this promotion is about."""
        kind = kind_of(address)
        return kind in self.one.seen.lives and (self.choice.kinds is None or kind in self.choice.kinds)

    def _emptied(self, address: str, live: Live) -> None:
        """Name what only the target's object has: nothing is emptied by a promotion."""
        kind = self.kinds[live.kind]
        roster, short = roster_of(kind) or ("", "")
        self.left_out += [
            f"{address}: `{'.'.join(path)}` is {'empty in' if shown else 'not shown by'} {self.one.name}, "
            f"and {self.other.name} has a value: empty it manually"
            for path, shown in only_there(self.exported[address], live, kind, self.listing).items()
            if path != (roster,)
        ]
        held = self.other_side.get((live.kind, live.id))
        self.left_out += [f"{address}: of {self.other.name}: {why}" for why in (held.partly.values() if held else ())]
        if roster in self.exported[address].live.attrs:
            self.left_out += [
                f"{address}: `{roster}` of {self.other.name} has {one} too: take it out manually"
                for one in self._more(self.wanted[address].attrs.get(roster), live.attrs.get(roster), short)
            ]

    def listing_declared(self, resource: Resource) -> Resource:
        """Return a resource with those members in its roster that the target's files declare, or will: only what is
        declared counts there. The others are named.
        """
        roster = (roster_of(self.kinds[resource.kind]) or ("", ""))[0]
        if roster not in resource.attrs:
            return resource
        declared = self.theirs.desired.resources.keys() | set(self.news)
        entries = items_of(resource.attrs[roster])
        left = [entry for entry in entries if isinstance(entry, Ref) and entry.address not in declared]
        self.left_out += [
            f"{resource.address}: `{roster}` of {self.one.name} lists {one.address}, which nothing declares for "
            f"{self.other.name}: it stays where it is there"
            for one in left
        ]
        return replace(resource, attrs={**resource.attrs, roster: [entry for entry in entries if entry not in left]})

    def _more(self, mine: Value, theirs: Value, short: str) -> list[str]:
        """Return who is in a roster of the target only, and says nothing of that itself."""
        names = addresses_of(self.ids)
        held = {str(reference) for reference in values.references(mine)}
        found = [
            names.get((reference.kind, reference.id), str(reference))
            for reference in values.references(theirs)
            if isinstance(reference, RemoteId)
        ]
        return [
            one for one in found if one not in held and not (one in self.wanted and short in self.wanted[one].attrs)
        ]

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
        item = next((one for one in change.attributes if one.name == name), None) if change is not None else None
        mine, theirs = self.exported[address].resource.attrs[name], live.attrs.get(name)
        if item is not None and not self.choice.prune and only_lacks(attribute, item.after, theirs):
            item = None
        if name not in live.attrs and item is None:
            return
        salt = self.before.salt
        declared = self.theirs.desired.resources.get(address)
        stands = declared is not None and name in declared.attrs
        said = declared.attrs[name] if declared is not None and stands else None
        asked = asked_of(attribute, said, self.wanted[address].attrs[name], theirs, prune=self.choice.prune)
        held = within(attribute, said, theirs)
        side = Side(hashed(mine, attribute, here, salt), hashed(held, attribute, there, salt), item is not None)
        self.sides[address, name], self.held[address, name] = side, theirs
        promised = hashed(asked, attribute, there, salt)
        says = hashed(opened(said, self.target.secret), attribute, there, salt) if stands else ""
        found = status(
            side,
            self.before.resources.get(address, {}).get(name),
            apart=self._apart(address, name),
            written=says == promised,
            settled=says == side.there,
        )
        self.same += found == "same"
        takes = found == "here" or (found == "colliding" and self.choice.overrule)
        # Where the files say nothing, an apply fills what must not be empty (`Ensure`): what is meant to be so is said.
        differently = says != promised if stands else declared is not None and attribute.has(Ensure) and mine == []
        if takes or (found == "same" and differently):
            self._propose(address, name, declared, asked)
        if found != "same" and item is not None:
            here_value, there_value = values.encode(item.after), values.encode(item.before)
            if item.sensitive:
                here_value = there_value = None
            secret = "sensitive" if item.sensitive else ""
            self.rows.append(Row(address, name, found, here_value, there_value, secret))
        elif self.choice.prune and (gone := beside(attribute, asked, said)):
            note = f"{self.one.name} does not hold {', '.join('.'.join(path) for path in gone)} any more"
            self.rows.append(Row(address, name, "here", note=note))

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
