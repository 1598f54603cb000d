"""Small accounts and declarations for tests of the planner, without any API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.model.desired import Desired, Resource
from reconciler.model.live import Live, Tables
from reconciler.model.plan import Plan
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.state import Binding, State
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan
from reconciler.resources import load_kinds

TABLES = (
    "tags",
    "lists",
    "listGroups",
    "fields",
    "fieldOptions",
    "fieldRels",
    "groupDefinitions",
    "dealGroups",
    "dealStages",
    "dealCustomFieldMeta",
    "accountCustomFieldMeta",
    "webhooks",
    "schemas",
    "users",
    "groups",
)


def resource(
    address: str, /, *, parent: str | None = None, rank: int = 0, nested: Sequence[str] = (), **attrs: Any
) -> Resource:
    """Declare a resource."""
    kind, _, key = address.partition(".")
    return Resource(address, kind, key, attrs, parent=parent, rank=rank, nested=tuple(nested))


def desired(*resources: Resource) -> Desired:
    """Declare a configuration."""
    return Desired({one.address: one for one in resources})


def account(**tables: Sequence[Mapping[str, Any]]) -> Snapshot:
    """An account that holds these rows and is otherwise empty."""
    rows = {name: tuple(tables.get(name, ())) for name in TABLES}
    return snapshot(load_kinds(), dict.fromkeys(load_kinds(), frozenset[str]()), Tables(rows))


def state(**bindings: Binding) -> State:
    """A state with bindings; `tag__vip` stands for `tag.vip`."""
    return State(lineage="test", serial=3, resources={name.replace("__", "."): one for name, one in bindings.items()})


def bound(kind: str, identity: str, **fields: Any) -> Binding:
    """A binding."""
    return Binding(id=identity, kind=kind, **fields)


def planned(wanted: Desired, seen: Snapshot, known: State | None = None, **inputs: Any) -> Plan:
    """Plan."""
    base = Inputs(desired=wanted, state=known or state(), snapshot=seen, kinds=load_kinds())
    return plan(replace(base, **inputs))


def summary(made: Plan) -> list[str]:
    """One line for each change: action, address, changed attributes."""
    return [
        f"{change.action} {change.address}"
        + (f" ({', '.join(sorted(change.changed))})" if change.live and change.changed else "")
        for change in made.changes
    ]


def live(snapshot_: Snapshot, kind: str, identity: str) -> Live:
    """The live object with that id."""
    return next(one for one in snapshot_.lives[kind] if one.id == identity)
