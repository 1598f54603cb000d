"""What an export changes in files that declare something already: values where they stand, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import ProposedEdit
from reconciler.deriving.export import unmade
from reconciler.deriving.exported import Exported
from reconciler.deriving.mentions import mentions
from reconciler.deriving.redaction import Hiding
from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.kind import Kinds
from reconciler.model.plan import Plan
from reconciler.model.records import mutable
from reconciler.model.redaction import LONG
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import RefTo
from reconciler.model.state import Binding
from reconciler.model.values import Lookup, Ref, Value
from reconciler.planning.diff import beside, joined, within
from reconciler.planning.rosters import only_declared, roster_of
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.opening.session import Session


@mutable
class Edits:
    """The edits of one export; `notes` collects what is left alone, with the reason."""

    session: Session
    notes: list[str]

    def nameable(self, entries: list[Exported], declared: Mapping[str, Resource]) -> list[Exported]:
        """Leave out what could only be declared with a credential for its name, and what is inside."""
        secret: set[str] = set()
        for entry in entries:
            resource = entry.resource
            parts = [part for key in self.session.kinds[resource.kind].natural_keys(entry.live.attrs) for part in key]
            names = [*parts, resource.key]  # a key is made of letters and digits: what stood between them is gone
            held = any(self.session.redactor.knows(name, LONG) for name in names if isinstance(name, str))
            if resource.parent in secret or (held and resource.address not in declared):
                secret.add(resource.address)
                self.notes.append(
                    f"an object of kind {resource.kind} (id {entry.live.id}) is left out: its name holds a credential"
                )
        ids = {entry.resource.address: entry.live.id for entry in entries if entry.resource.address in secret}

        def leaf(value: Value) -> Value:
            return (
                Lookup(value.kind, "id", ids[value.address])
                if isinstance(value, Ref) and value.address in ids
                else value
            )

        return [
            replace(
                entry,
                resource=entry.resource._replace(attrs=values.transform_all(entry.resource.attrs, leaf)),
            )
            if ids
            else entry
            for entry in entries
            if entry.resource.address not in secret
        ]

    def propose(
        self, loaded: Loaded, book: StateTransaction, plan: Plan, live: Mapping[str, Exported], hiding: Hiding
    ) -> list[ProposedEdit]:
        """Return the attributes whose files say something else than the account does."""
        declared = loaded.desired.resources.keys()
        proposals = self._joining(loaded, plan, live)
        for change in plan.changes:
            resource, entry = loaded.desired.resources.get(change.address), live.get(change.address)
            if resource is None or entry is None:
                continue
            sayable = (
                resource.attrs.keys() & entry.live.attrs.keys() - entry.dropped.keys() if not entry.problem else ()
            )
            for item in change.attributes:
                if item.name in sayable:
                    proposals += self._changed(resource, entry, item.name, live.keys() - declared, hiding)
        proposals += self._dead(loaded, plan, live, hiding)
        state = book.state().resources
        for address, entry in live.items():
            resource, binding = loaded.desired.resources.get(address), state.get(address)
            if resource is not None and binding is not None and binding.run.startswith("export-"):
                proposals += self._undeclared(resource, binding, entry, hiding)
                proposals += self._entries(resource, binding, entry, {proposed.name for proposed in proposals})
        return proposals

    def _undeclared(
        self, resource: Resource, binding: Binding, entry: Exported, hiding: Hiding
    ) -> Iterator[ProposedEdit]:
        """Yield what the account has of an exported object that was neither declared nor applied."""
        attributes = self.session.kinds[resource.kind].attributes
        for name, value in entry.resource.attrs.items():
            known = name in resource.attrs or name in binding.applied
            if not known and not attributes[name].hides(value) and not hiding.holds(value):
                yield ProposedEdit(resource, attributes[name], value)

    def _dead(self, loaded: Loaded, plan: Plan, live: Mapping[str, Exported], hiding: Hiding) -> Iterator[ProposedEdit]:
        """Yield the references of objects that cannot be planned, as the account holds them: a look-up finds nothing
        any more, and only an id that equals the live one plans empty.
        """
        declared = loaded.desired.resources
        for address in sorted({skip.address for skip in plan.skipped} & declared.keys() & live.keys()):
            resource, entry = declared[address], live[address]
            attributes = self.session.kinds[resource.kind].attributes
            kept = [] if entry.problem else [name for name in resource.attrs if name in entry.live.attrs]
            for name in kept:
                refers = attributes[name].mark(RefTo) is not None and name not in entry.dropped
                if refers and self._value(entry, name) != resource.attrs[name]:
                    yield from self._changed(resource, entry, name, live.keys() - declared.keys(), hiding)

    def _changed(
        self, resource: Resource, entry: Exported, name: str, undeclared: Set[str], hiding: Hiding
    ) -> list[ProposedEdit]:
        """Return the edit that says an attribute as the account has it; none where that is a credential."""
        attribute, declared = self.session.kinds[resource.kind].attributes[name], resource.attrs[name]
        value = within(attribute, declared, only_declared(attribute, self._value(entry, name), declared, undeclared))
        hides = attribute.hides(value)
        if not hides and hiding.holds(value):
            self.notes.append(f"{resource.address}: its `{name}` holds a credential; the files stay as they are")
            return []
        if isinstance(value, str) and hides:
            value = hiding.text(resource.address, name, value)
        return [ProposedEdit(resource, attribute, value)]

    def _entries(
        self, resource: Resource, binding: Binding, entry: Exported, known: set[tuple[str, str]]
    ) -> list[ProposedEdit]:
        """Return the maps of an object that an export declared, with the entries that the account has beyond them."""
        proposals, attributes = [], self.session.kinds[resource.kind].attributes
        for name, declared in resource.attrs.items():
            attribute, stored = attributes[name], entry.resource.attrs.get(name)
            dropped = beside(attribute, declared, values.decode(binding.applied.get(name)))
            parts = {path: part for path, part in beside(attribute, declared, stored).items() if path not in dropped}
            if parts and (resource.address, name) not in known and not attribute.hides(stored):
                proposals.append(ProposedEdit(resource, attribute, joined(attribute, declared, parts)))
        return proposals

    def _joining(self, loaded: Loaded, plan: Plan, live: Mapping[str, Exported]) -> list[ProposedEdit]:
        """Return the rosters that new objects join, and that say nothing else than the account does."""
        proposals = []
        declared = loaded.desired.resources
        changing = {(change.address, name) for change in plan.changes for name in change.changed}
        for address, entry in live.items():
            roster = roster_of(self.session.kinds[entry.resource.kind])
            resource = declared.get(address)
            if (
                resource is None
                or roster is None
                or roster[0] not in resource.attrs.keys() & entry.live.attrs.keys()
                or (address, roster[0]) in changing
            ):
                continue
            attribute, entries = self.session.kinds[resource.kind].attributes[roster[0]], resource.attrs[roster[0]]
            value = only_declared(attribute, self._value(entry, roster[0]), entries, live.keys() - declared.keys())
            if isinstance(value, list) and isinstance(entries, list) and set(value) - set(entries):
                proposals.append(ProposedEdit(resource, attribute, value))
        return proposals

    @staticmethod
    def _value(entry: Exported, name: str) -> Value:
        """Return a live value as it is declared; what an export leaves out as empty is written out."""
        return entry.resource.attrs.get(name, entry.live.attrs[name])


def notes_on(exported: Sequence[Exported], kinds: Kinds, seen: Snapshot) -> list[str]:
    """Return what a reader of the files has to know: what is left out, kept by its id, or of this account alone."""
    sound = [entry for entry in exported if not entry.problem]
    return [
        *(f"{entry.resource.address}: {why}; it is left out" for entry in exported for why in entry.dropped.values()),
        *(f"{entry.resource.address}: {line}; it is kept by its id" for entry in sound for line in entry.gone),
        *(f"{entry.resource.address}: {why}" for entry in sound for why in entry.partly.values()),
        *(
            f"{address}: an account that does not have it would refuse to create it: {'; '.join(why)}"
            for address, why in unmade(sound, kinds).items()
        ),
        *(
            f"{address}: `{name}` holds the id of {', '.join(meant)} in a text: it is another one in another account, "
            "where only a clone translates it"
            for address, texts in mentions(sound, kinds, seen.lives).items()
            for name, meant in texts.items()
        ),
    ]
