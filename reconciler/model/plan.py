"""A plan in memory: changes for people, steps for the applier. Made by `planning`, never manually."""

from collections.abc import Callable, Container, Iterable, Mapping
from enum import StrEnum
from typing import Literal, NamedTuple

from reconciler.model.address import Address
from reconciler.model.codecs import Ids
from reconciler.model.desired import Resource
from reconciler.model.diagnostics import Position
from reconciler.model.empty import NOTHING
from reconciler.model.http import Flow
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.spec import Lifecycle
from reconciler.model.state import Binding
from reconciler.model.usage import Use
from reconciler.model.values import Ref, Reference, RemoteId, Value, decode
from reconciler.model.write import Finding, Impact, Write


class Action(StrEnum):
    """What happens to an object."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    MOVE = "move"
    MANUAL = "manual"
    REFRESH = "refresh"
    NONE = "none"


WRITES = (Action.CREATE, Action.UPDATE, Action.REPLACE)
"""Actions after which the account has to hold what is declared."""
DESTROYS = (Action.DELETE, Action.REPLACE)
"""Actions after which the object that was there is gone."""
Origin = Literal["config", "drift", "both", "new", "none"]
Op = Literal["create", "update", "delete", "bind", "forget", "move", "finish", "park"]
COUNTED: tuple[Op, ...] = ("update", "delete")
"""Steps before whose requests the records that they cost are counted again."""


class AttributeChange(NamedTuple):
    """One attribute that changes. `before` and `after` are resolved values; `origin` says whose change it is."""

    name: str
    before: Value
    after: Value
    origin: Origin = "config"
    place: Position | None = None
    forces_replacement: bool = False
    sensitive: bool = False
    applied: Value = None
    run: str = ""
    places: tuple[int, int] | None = None
    """Where it stands among its siblings before and after, counted from 1: of what follows from the order of files."""


class Change(NamedTuple):
    """What happens to one address, and why. `desired` are the attributes to write (with references); `adopts` binds
    an existing object.
    """

    address: Address
    kind: str
    action: Action
    reason: str = ""
    attributes: tuple[AttributeChange, ...] = ()
    desired: Mapping[str, Value] = NOTHING
    live: Live | None = None
    binding: Binding | None = None
    resource: Resource | None = None
    adopts: bool = False
    spare: int | None = None
    """Which of the parent's server-made objects to take over, counted from 0, where there is one."""
    known: tuple[str, ...] = ()
    depends_on: tuple[Address, ...] = ()
    manual: Mapping[str, str] = NOTHING
    page: str = ""
    """Path of the screen for the manual steps in the account's web interface, where it is known."""
    impacts: tuple[Impact, ...] = ()
    uncounted: bool = False
    """It may touch records, and it was not asked how many."""
    counting: tuple[str, ...] = ()
    """Requests that measure the impacts again, before each request of the change that can take something away."""
    uses: tuple[Use, ...] = ()
    findings: tuple[Finding, ...] = ()
    natural_key: tuple[Value, ...] = ()
    children: tuple[str, ...] = ()
    """Ids of the objects that were nested in this one when planning, where it goes."""
    spares: tuple[str, ...] = ()
    """Ids of server-made objects below this one that are not claimed."""
    moved_from: Address | None = None
    follows: tuple[Address, ...] = ()
    """Addresses whose updates must have succeeded before this one: they take over what it lets go of."""
    settled: bool = False
    """The object is the outcome of a create whose answer was lost."""

    @property
    def id(self) -> str | None:
        """The id of the object in the account, as it is shown there or as the state has it."""
        return self.live.id if self.live is not None else self.binding.id if self.binding is not None else None

    @property
    def evacuates(self) -> Mapping[str, Address]:
        """What is moved away before the delete, and where to."""
        return self.binding.on_destroy if self.action in DESTROYS and self.binding is not None else {}

    @property
    def changed(self) -> frozenset[str]:
        """Names of the attributes that change."""
        return frozenset(item.name for item in self.attributes)

    def takes(self, kind: Kind) -> bool:
        """Return whether it is an update that need not be read back: a probe of this very account found that it takes
        such ones as they are sent, and it holds what was applied before. Where it does not, another user changed it, or
        the fact is wrong: the read-back tells which.
        """
        plain = self.action is Action.UPDATE and not self.adopts and not self.spares
        plain = plain and all(item.origin == "config" for item in self.attributes)
        return plain and kind.settled({name: self.desired.get(name) for name in self.changed})


class Step(NamedTuple):
    """One unit of work of the applier. `waits` are numbers of steps that must have succeeded; `after` only have to
    be over.
    """

    number: int
    address: Address
    op: Op
    waits: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    requests: tuple[str, ...] = ()


class Skipped(NamedTuple):
    """An address that could not be planned, with the reason: its kind is unknown (`forbidden`), the account would
    refuse what is declared (`refused`), or something it needs is not there.
    """

    address: Address
    reason: str
    forbidden: bool = False
    refused: bool = False


class Plan(NamedTuple):
    """Changes in the order in which they are shown, steps in a valid order of execution."""

    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    kept: int = 0
    """How many managed objects need no change."""
    reads: tuple[str, ...] = ()
    """Kinds to read again before and after the apply."""
    ids: Mapping[Address, str] = NOTHING
    """Remote ids of everything bound when planning, changed or not, and of what was looked up."""

    @property
    def empty(self) -> bool:
        """Whether nothing has to be written, to the account or to the state."""
        return not self.steps and not any(change.action is Action.MANUAL for change in self.changes)

    @property
    def to_destroy(self) -> frozenset[tuple[str, str]]:
        """Kinds and remote ids of the objects that go."""
        return frozenset(
            (change.kind, change.live.id)
            for change in self.changes
            if change.live is not None and change.action in DESTROYS
        )

    def identify(self, reference: Reference) -> str:
        """Return the id of a reference as far as it is known; a stand-in for what is still to be made."""
        return reference.id if isinstance(reference, RemoteId) else self.ids.get(str(reference), f"<{reference}>")

    def count(self, *actions: Action) -> int:
        """Return how many changes have one of these actions."""
        return sum(change.action in actions for change in self.changes)


def lifecycle_of(resource: Resource | None, binding: Binding | None) -> Lifecycle:
    """Return what may happen to an object: as declared, else as at its last apply. What either of them protects is
    protected.
    """
    if binding is None:
        return resource.lifecycle if resource is not None else Lifecycle()
    if resource is None:
        return Lifecycle(prevent_destroy=binding.prevent_destroy, on_destroy=dict(binding.on_destroy))
    if not binding.prevent_destroy or resource.lifecycle.prevent_destroy:
        return resource.lifecycle
    return resource.lifecycle.model_copy(update={"prevent_destroy": True})


def write_of(
    change: Change, op: Op, ids: Ids, *, secret: Callable[[str], str] = str, spare: str | None = None
) -> Write:
    """Return what the kind's flow gets to know for one step of a change; `spare` is the id to take over."""
    destroying = op == "delete"
    applied = {name: decode(value) for name, value in change.binding.applied.items()} if change.binding else {}
    on_destroy = {}
    if destroying:
        declared = change.binding.on_destroy if change.binding else {}
        on_destroy = {what: ids(Ref(*_split(target))) for what, target in declared.items()}
    return Write(
        address=change.address,
        desired=change.desired,
        changed=change.changed,
        live=None if op == "create" else change.live,
        ids=ids,
        secret=secret,
        applied=applied,
        spare=spare,
        replacing=change.action is Action.REPLACE,
        destroying=destroying,
        on_destroy=on_destroy,
        children=frozenset(change.children),
        before={item.name: item.before for item in change.attributes},
        elsewhere=frozenset(change.resource.elsewhere if change.resource is not None else ()),
    )


def _split(address: Address) -> tuple[str, str]:
    kind, _, key = address.partition(".")
    return kind, key


def parent_of(change: Change, kinds: Kinds, to_destroy: Container[tuple[str, str]]) -> RemoteId | None:
    """Return the object that this one is nested in, where that goes too: what the child holds is counted with it (deals
    of stages and pipelines).
    """
    parent = kinds[change.kind].nested
    values = change.live.attrs.values() if change.live is not None and parent else ()
    holders = (value for value in values if isinstance(value, RemoteId) and value.kind == parent)
    return next((holder for holder in holders if (holder.kind, holder.id) in to_destroy), None)


def parents(changes: Iterable[Change], kinds: Kinds, to_destroy: Container[tuple[str, str]]) -> dict[Address, Change]:
    """Return, by the address of the child, the changes whose cost is counted with that of a parent that goes too."""
    changes = tuple(changes)
    owners = {(change.kind, change.live.id): change for change in changes if change.live is not None}
    parents = {}
    for change in changes:
        parent = parent_of(change, kinds, to_destroy)
        if parent is not None:
            parents[change.address] = owners[parent.kind, parent.id]
    return parents


def flow_of(kind: Kind, op: Op, write: Write, spares: tuple[str, ...]) -> Flow[None]:
    """Return the flow of one step; operations that only touch the state have none."""
    if op == "create":
        return kind.create(write)
    if op == "update":
        return kind.update(write)
    if op == "delete":
        return kind.delete(write)
    if op == "park":
        return kind.rename_temporarily(write)
    return kind.finish(write, spares) if op == "finish" else _nothing()


def _nothing() -> Flow[None]:
    yield from ()
