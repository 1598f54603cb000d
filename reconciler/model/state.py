"""State: what this tool manages (address -> remote id and the values last applied), and the records that lead from
one to the next.

The document is written whole at the end of a run; in between each result is appended to the journal as a `Record`, and
`fold` replays them. References inside `applied` are encoded as addresses (see `values.encode`), secrets as
`${secret.NAME}`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from reconciler.model import values
from reconciler.model.address import Address, split
from reconciler.model.documents import Count, Lean
from reconciler.model.empty import no_items, no_members
from reconciler.model.http import is_id
from reconciler.model.identity import check, check_values
from reconciler.model.redaction import Shown
from reconciler.model.values import SCALARS, Ref, Value, decode, is_flat, is_hashed

STATE_VERSION = 3


class _Document(Lean):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class Binding(_Document):
    """One managed object."""

    id: str = Field(description="Remote id.")
    kind: str
    natural_key: list[Any] = Field(
        default_factory=no_items, description="The key under which it was last seen, to notice reused ids."
    )
    created: str = Field(
        "", description="When the account says the object was created; tells a reused id from a rename."
    )
    applied: dict[str, Any] = Field(default_factory=no_members, description="Declared attributes as last applied.")
    rewritten: dict[str, Any] = Field(
        default_factory=no_members,
        description="Attributes that the server stores differently from what was sent: {attr: {sent, got}}.",
    )
    digests: dict[str, str] = Field(
        default_factory=no_members, description="Salted hashes of values with secrets, by attribute."
    )
    depends_on: list[str] = Field(default_factory=no_items)
    prevent_destroy: bool = False
    on_destroy: dict[str, str] = Field(default_factory=no_members)
    spares: list[str] = Field(
        default_factory=no_items, description="Ids of objects that the server made on its own and were not claimed yet."
    )
    incomplete: bool = Field(False, description="A create of several steps that did not finish.")
    run: str = Field("", description="Run that last wrote it.")
    moved_from: str = Field(
        "", description="Address that a `moved` block took it from: that block is done, also where two swap."
    )

    @model_validator(mode="after")
    def _readable(self, info: ValidationInfo) -> Self:
        """What is kept in forms of its own can be taken for what it was: otherwise the file is damaged."""
        if not is_flat(self.applied.values()):
            for value in self.applied.values():
                decode(value)
        check(info, [(self.kind, self.id)], self.applied, self.natural_key)
        if self.spares and not all(is_id(spare) for spare in self.spares):
            raise ValueError("what was made along with it has ids")
        _hashable(self.natural_key)
        check_values(info, self.kind, self.applied, self.natural_key)
        entries = self.rewritten.values()
        if entries and not all(isinstance(entry, dict) and {"sent", "got"} <= entry.keys() for entry in entries):
            raise ValueError("what was rewritten has two sides")
        return self


def _hashable(key: list[Any], *, hashed: bool = False) -> None:
    """Raise ValueError for parts that no natural key has; a create keeps a salted hash for a part that is secret."""
    for part in key:
        if part.__class__ not in SCALARS and not (hashed and is_hashed(part)) and isinstance(decode(part), dict | list):
            raise ValueError("a natural key is made of texts, numbers and references")


class Intent(_Document):
    """A create that was about to be sent, with the ids that carried its natural key before."""

    address: str
    kind: str
    natural_key: list[Any]
    known: list[str] = Field(default_factory=no_items)

    @model_validator(mode="after")
    def _readable(self, info: ValidationInfo) -> Self:
        _hashable(self.natural_key, hashed=True)
        check(info, [(self.kind, identity) for identity in self.known])
        check_values(info, self.kind, {}, self.natural_key)
        return self


class State(_Document):
    """The state document. `serial` rises by one with every write; `lineage` never changes."""

    format_version: int = STATE_VERSION
    lineage: str
    serial: Count = 0
    fence: Count = Field(0, description="Generation of the last lock holder; a write of an earlier one is refused.")
    folded: Count = Field(0, description="Journal records of this generation and earlier ones are in `resources`.")
    updated: str = Field("", description="When this version was written (ISO 8601, UTC).")
    account: str = Field("", description="Identity of the account this state belongs to.")
    resources: dict[str, Binding] = Field(default_factory=no_members)
    salt: str = ""
    applied_plans: list[str] = Field(
        default_factory=no_items, description="Digests of the last saved plans that were applied."
    )
    intents: dict[str, Intent] = Field(
        default_factory=no_members, description="Creates that may have been executed and whose answer never came."
    )


class Going(_Document):
    """What is about to go with a child, of the number that was approved for its parent; or to be moved away before
    a delete, of its own number: it is its own parent then.
    """

    address: str
    parent: str
    plan: str = Field(description="Digest of the plan that shows the number.")
    counts: dict[str, Count] = Field(description="By effect and noun, `lost deals in it`.")
    ids: list[str] = Field(
        default_factory=no_items, description="Of records that are moved away first: which, where all were listed."
    )


class Renaming(NamedTuple):
    """All moves (old address -> new) at once, so that two addresses may swap."""

    moves: Mapping[Address, Address]

    def address(self, address: Address) -> Address:
        """Return what an address is called afterwards."""
        return self.moves.get(address, address)

    def value(self, encoded: Any) -> Any:
        """Return an encoded value with the references in it renamed."""
        value = values.decode(encoded)
        if not any(
            isinstance(reference, Ref) and reference.address in self.moves for reference in values.references(value)
        ):
            return encoded
        return values.encode(values.transform(value, self._leaf))

    def _leaf(self, leaf: Value) -> Value:
        return Ref(*split(self.address(leaf.address))) if isinstance(leaf, Ref) else leaf

    def values(self, encoded: Mapping[str, Any]) -> dict[str, Any]:
        """Return encoded values with the references in them renamed."""
        return {name: self.value(value) for name, value in encoded.items()}

    def binding(self, binding: Binding) -> Binding:
        """Return a binding that refers to everything by its new address."""
        news = {
            "applied": self.values(binding.applied),
            "rewritten": self.values(binding.rewritten),
            "depends_on": [self.address(address) for address in binding.depends_on],
            "on_destroy": {what: self.address(to) for what, to in binding.on_destroy.items()},
        }
        changed = {name: value for name, value in news.items() if value != getattr(binding, name)}
        return binding.model_copy(update=changed) if changed else binding

    def bindings(self, resources: Mapping[Address, Binding], *, marked: bool = True) -> dict[Address, Binding]:
        """Return all bindings under their new addresses; `marked` ones remember the move, see `Binding.moved_from`."""
        bindings = {}
        for address, binding in resources.items():
            target, renamed = self.address(address), self.binding(binding)
            bindings[target] = (
                renamed.model_copy(update={"moved_from": address}) if marked and target != address else renamed
            )
        return bindings

    def intents(self, intents: Mapping[Address, Intent]) -> dict[Address, Intent]:
        """Return open creates under their new addresses."""
        return {
            self.address(address): intent.model_copy(update={"address": self.address(address)})
            for address, intent in intents.items()
        }


class Record(_Document):
    """One line of the journal. An `intent` comes before whatever is sent for an address; that of a create says how to
    find what it made.
    """

    op: Literal["begin", "intent", "bind", "drop", "failed", "move", "end", "counted"]
    run: str = ""
    address: str = ""
    target: str = ""
    intent: Intent | None = None
    binding: Binding | None = None
    going: Going | None = Field(None, description="Of `counted`, which says nothing about an address.")
    note: Shown = Shown("")
    at: str = ""
    fence: Count = Field(0, description="Generation of the lock under which it was written; 0: without a lock.")
    moves: dict[str, str] = Field(
        default_factory=no_members, description="Of a `move`: all addresses that change at once, old and new."
    )

    @property
    def renaming(self) -> Renaming:
        """What a `move` does."""
        return Renaming(self.moves or {self.address: self.target})

    @property
    def names(self) -> set[str]:
        """The addresses that it is about."""
        return {self.address, self.target, *self.moves, *self.moves.values()} - {""}


def fold(state: State, records: Iterable[Record]) -> State:
    """Return the state after the records; the input is left unchanged. The serial is not touched."""
    resources = dict(state.resources)
    for record in records:
        if record.op == "bind" and record.binding is not None:
            resources[record.address] = record.binding
        elif record.op == "drop":
            resources.pop(record.address, None)
        elif record.op == "move":
            resources = record.renaming.bindings(resources)
    return state.model_copy(update={"resources": resources})


def went(records: Iterable[Record], plan: str) -> dict[str, Going]:
    """Return what earlier runs of a plan were about to let go with children of its objects, by child."""
    return {
        record.going.address: record.going
        for record in records
        if record.going is not None and record.going.plan == plan
    }


def in_flight(records: Iterable[Record]) -> frozenset[str]:
    """Return the addresses whose update or delete was announced and never settled."""
    last: dict[str, Record] = {}
    for record in records:
        if record.op == "move":
            renaming = record.renaming
            last = {renaming.address(address): record for address, record in last.items()}
        elif record.op != "counted":
            last[record.address] = record
    return frozenset(name for name, record in last.items() if record.op == "intent" and record.intent is None)


def open_intents(records: Iterable[Record], before: Mapping[str, Intent] | None = None) -> dict[str, Intent]:
    """Return the creates that were announced, `before` or in the records, and never settled; by address."""
    pending = dict(before or {})
    for record in records:
        if record.op == "intent" and record.intent is not None:
            pending[record.address] = record.intent
        elif record.op == "move":
            pending = record.renaming.intents(pending)
        elif record.op in ("bind", "drop", "failed", "end"):
            if record.op == "end":
                pending.clear()
            pending.pop(record.address, None)
    return pending
