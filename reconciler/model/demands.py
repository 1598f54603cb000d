"""What the account will refuse, as far as the documentation tells: one place for all kinds, fed by marks of attributes
and by what a kind adds. Asked of what is created or changed only: what equals the account is never refused.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any

from reconciler.model.address import Address
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.nearness import plain
from reconciler.model.spec import Attribute, Commas, Default, Doubts, Expected, Keyed, RefTo, Takes, attributes
from reconciler.model.values import Value, has_secret, items_of, walk
from reconciler.model.write import Finding


def demands(
    kind: Kind, attrs: Mapping[str, Value], changed: Collection[str] | None, key: str = ""
) -> Iterator[Finding]:
    """Yield what the account will say against a create (`changed` None) or an update of these attributes (errors), and
    what is hardly meant, though it may take it (warnings).

    `attrs` are the declared attributes, by name; values with secrets that are not filled in are not judged. `changed`
    names attributes, and of keyed maps the entries and what changes of them too: `fields`, `fields.size`,
    `fields.size.options`.
    """
    for name, attribute in attributes(kind.spec_of(key) or kind.spec).items():
        if changed is None or name in changed:
            yield from _of_attribute(attribute, attrs)
    if not any(_unknown(value) for value in attrs.values()):
        yield from kind.demands(attrs, _all(kind, attrs) if changed is None else frozenset(changed))


def _of_attribute(attribute: Attribute, attrs: Mapping[str, Value]) -> Iterator[Finding]:
    name, value = attribute.name, attrs.get(attribute.name)
    if attribute.has(Expected) and _empty(value):
        what = "is documented as required on create and is not declared" if name not in attrs else "cannot be empty"
        yield Finding(f"`{name}` {what}", "error", name, hint=attribute.description)
    elif name in attrs and not _unknown(value):
        if why := _refused(attribute, value):
            yield Finding(f"`{name}` {why}", "error", name)
        elif odd := _doubted(attribute, value):
            yield Finding(f"`{name}` {odd}", "warning", name)


def _all(kind: Kind, attrs: Mapping[str, Value]) -> frozenset[str]:
    names = set(attrs)
    for name, value in attrs.items():
        if isinstance(value, Mapping) and kind.attributes[name].has(Keyed):
            names |= parts_of(name, value)
    return frozenset(names)


def parts_of(name: str, entries: Mapping[str, Any]) -> set[str]:
    """Return the paths of the entries of a keyed map, and of what they say: `fields.size`, `fields.size.options`."""
    return {
        ".".join((name, key, *inner))
        for key, entry in entries.items()
        for inner in ((), *((inner_name,) for inner_name in (entry if isinstance(entry, Mapping) else ())))
    }


FOUND = " (a probe found that; where it is otherwise now, `reconciler probe` finds out)"


class TakenNames:
    """The names of which the account takes no two (`Identity.unique`), and by address who has each: what the account
    holds already goes before what is made beside it. Where it holds two of a name that only a probe found to be unique
    (`lives`, by kind), it takes two.
    """

    def __init__(
        self, kinds: Kinds, there: Iterable[Resource] = (), lives: Mapping[str, Collection[Live]] | None = None
    ) -> None:
        self._kinds = kinds
        self._twice = {
            name
            for name, live in (lives or {}).items()
            if name in kinds and kinds[name].found_unique and kinds[name].holds_twice(live)
        }
        self._owners: dict[tuple[Hashable, ...], Address] = {}
        self._waiting = list(there)

    def held(self, resource: Resource) -> None:
        """Note the names of an object that the account has, or is to have."""
        self._waiting.append(resource)

    def taken(self, resource: Resource) -> list[str]:
        """Return why the account would not take a new object beside those that are noted."""
        for held in self._waiting:
            for _, key in self._keys(held):
                self._owners.setdefault(key, held.address)
        self._waiting.clear()
        return [
            f"the account takes no two of one {' and '.join(f'`{name}`' for name in names)}, and {owner} has it"
            + (FOUND if self._kinds[resource.kind].found_unique else "")
            for names, key in self._keys(resource)
            if (owner := self._owners.get(key, resource.address)) != resource.address
        ]

    def _keys(self, resource: Resource) -> Iterator[tuple[tuple[str, ...], tuple[Hashable, ...]]]:
        kind = self._kinds[resource.kind]
        if kind.name in self._twice:
            return
        for names in kind.once(resource.attrs):
            values = [resource.attrs.get(name) for name in names]
            if all(isinstance(value, str) and not has_secret(value) for value in values):
                yield names, (resource.kind, names, *map(str, values))


def _refused(attribute: Attribute, value: Value) -> str:
    if attribute.shape == "text" and isinstance(value, str) and not value.strip():
        return "is empty" if attribute.required or attribute.has(Default) else ""
    if attribute.has(Commas) and not attribute.has(RefTo) and any("," in str(value) for value in items_of(value)):
        return "has an entry with a comma, which the account takes for several: write them one by one"
    takes = attribute.mark(Takes)
    why: str = takes.rule(value) if takes is not None and not _empty(value) else ""
    return why


def _doubted(attribute: Attribute, value: Value) -> str:
    named = attribute.shape == "text" and (attribute.required or attribute.has(Default))
    if named and isinstance(value, str) and not plain(value):
        return "has nothing that can be seen"
    doubts = attribute.mark(Doubts)
    odd: str = doubts.rule(value) if doubts is not None and not _empty(value) else ""
    return odd


def _empty(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _unknown(value: Value) -> bool:
    return any(isinstance(leaf, str) and (has_secret(leaf) or "${" in leaf) for leaf in walk(value))
