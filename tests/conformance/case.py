"""What a conformance case says about a kind: values of each attribute, and how the account shows them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.world import World

Row = dict[str, Any]
How = Literal["update", "replace", "manual"]
NOTHING = object()


@dataclass(frozen=True)
class Attr:
    """One attribute: declared as `first`, then as `then`. `read` says what the account holds, in the words of the case;
    that has to be `seen_first`, then `seen_then`. `clear` is the declaration that empties it (NOTHING: there is none),
    after which the account holds `seen_clear`. `drift` changes the account behind the tool's back, to another value.
    """

    name: str
    first: Any
    then: Any
    read: Callable[[World, Row], Any]
    seen_first: Any
    seen_then: Any
    drift: Callable[[World, Row], None] | None
    how: How = "update"
    clear: Any = NOTHING
    seen_clear: Any = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Case:
    """An object of a kind: `address`, the `table` of the account that keeps it, its attributes, of which `always` are
    declared in every configuration. `beside` is the rest of the configuration, `seed` what the account has at first.
    """

    address: str
    table: str
    attributes: tuple[Attr, ...]
    place: tuple[str, ...]
    always: tuple[str, ...] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)
    seed: Mapping[str, Any] = field(default_factory=dict)
    hidden_by: tuple[str, ...] = ()
    """Attributes whose clearing hides the object from people: that is what was asked for."""
    retired: Mapping[str, str] = field(default_factory=dict)
    """What the row of a removed object shows where the API deletes none; empty: removed objects are gone."""

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return self.address.partition(".")[0]

    def __str__(self) -> str:
        return self.address

    def attribute(self, name: str) -> Attr:
        """Return an attribute by name."""
        return next(one for one in self.attributes if one.name == name)

    def full(self, **values: Any) -> dict[str, Any]:
        """Return the configuration with every attribute declared at first, but for these values."""
        return self._placed({one.name: one.first for one in self.attributes} | values)

    def least(self, **values: Any) -> dict[str, Any]:
        """Return the configuration with only what is always declared, and these values."""
        return self._placed({one.name: one.first for one in self.attributes if one.name in self.always} | values)

    def without(self) -> dict[str, Any]:
        """Return the configuration without the object."""
        return copy.deepcopy(dict(self.beside))

    def _placed(self, content: dict[str, Any]) -> dict[str, Any]:
        config = self.without()
        inner = config
        for part in self.place[:-1]:
            inner = inner.setdefault(part, {})
        inner[self.place[-1]] = content
        return config

    def row(self, world: World) -> Row:
        """Return the account's row of the object, by the id that the state knows."""
        identity = world.state().resources[self.address].id
        (row,) = world.rows(self.table, id=identity)
        return row

    def check(self, world: World, **seen: Any) -> None:
        """Assert that the account holds every attribute as declared at first, but for these."""
        row = self.row(world)
        expected = {one.name: one.seen_first for one in self.attributes} | seen
        assert {one.name: one.read(world, row) for one in self.attributes} == expected


def shown(raw: Any) -> Any:
    """Return what a property of the account says, whatever JSON type it comes in: texts, lists of texts."""
    if isinstance(raw, list | tuple):
        return [shown(item) for item in raw]
    if isinstance(raw, dict):
        return {key: shown(item) for key, item in raw.items()}
    if isinstance(raw, bool):
        return str(int(raw))
    return "" if raw is None else str(raw)


def plain(name: str, first: Any, then: Any, api: str = "", *, seen: tuple[Any, Any] | None = None, **more: Any) -> Attr:
    """Return an attribute that is one property `api` of its row; `seen` is what the account holds where that differs
    from what is declared.
    """
    key = api or name
    before, after = seen or (shown(first), shown(then))

    def drift(world: World, row: Row) -> None:
        row[key] = after

    how: How = more.pop("how", "update")
    behind = None if how != "update" else drift
    return Attr(
        name, first, then, lambda world, row: shown(row.get(key)), before, after, more.pop("drift", behind), how, **more
    )


def flag(name: str, api: str = "") -> Attr:
    """Return a flag that is on at first; null switches it off."""
    return plain(name, True, False, api, clear=None, seen_clear="0")
