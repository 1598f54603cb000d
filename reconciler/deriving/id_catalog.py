"""What code may name: the keys of the configuration, with their ids in all environments that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.deriving.known_ids import KnownIds
from reconciler.model.address import abridged, kind_of
from reconciler.model.desired import Resource
from reconciler.model.errors import PlanError
from reconciler.model.ids import IdCatalog, IdEntry, IdPart, PartGroup, Section
from reconciler.model.kind import Kind
from reconciler.model.redaction import redactor
from reconciler.model.values import carries_secret


def catalog_of(sides: Sequence[KnownIds], *, partial: bool) -> IdCatalog:
    """Return what code may name. Raises PlanError where an environment has no id for what it declares, unless
    `partial`.
    """
    missing = {side.name: side.missing() for side in sides}
    if any(missing.values()) and not partial:
        raise PlanError(
            "; ".join(f"`{name}` has no id for {abridged(some)}" for name, some in missing.items() if some),
            hint="apply there first, leave the environment out, or use --partial: code has to expect then that such an "
            "object is not there",
        )
    return IdCatalog(tuple(side.name for side in sides), _sections(sides))


def _sections(sides: Sequence[KnownIds]) -> tuple[Section, ...]:
    addresses = dict.fromkeys(address for side in sides for address in side.resources)
    kinds = sides[0].kinds
    entries: dict[str, list[IdEntry]] = {}
    children: dict[str, list[str]] = {}
    for address in addresses:
        kind = kinds[kind_of(address)]
        if kind.nested:
            children.setdefault(kind.parent_of(address), []).append(address)
    for address in addresses:
        kind = kinds[kind_of(address)]
        if not kind.nested:
            entries.setdefault(kind.section, []).append(_entry(sides, address, kind.section, children))
    order = [kind.section for kind in kinds.values() if kind.section in entries]
    return tuple(
        Section(name, entries[name][0].noun, tuple(sorted(entries[name], key=lambda entry: entry.key)))
        for name in order
    )


def _entry(sides: Sequence[KnownIds], address: str, path: str, children: Mapping[str, Sequence[str]]) -> IdEntry:
    holding = [side for side in sides if address in side.resources]
    resource, kind = holding[0].resources[address], holding[0].kinds[kind_of(address)]
    key = address.rpartition(".")[2]
    mine = f"{path}.{key}"
    nested: dict[str, list[IdEntry]] = {}
    for child in children.get(address, ()):
        name = _nested_name(kind, kind_of(child))
        nested.setdefault(name, []).append(_entry(sides, child, f"{mine}.{name}", {}))
    own = tuple(Section(name, entries[0].noun, tuple(entries)) for name, entries in nested.items())
    known = {side.name: side.values(address) for side in holding if side.identity(address) is not None}
    groups = {side.name: side.parts(address) for side in holding if side.name in known}
    return IdEntry(
        key,
        mine,
        address,
        kind.spec.__name__,
        _doc(resource, kind),
        known,
        (*own, *_parts(groups, mine, address)),
        resource.at,
    )


def _nested_name(kind: Kind, child: str) -> str:
    """Return the attribute in which objects of another kind are declared."""
    mark = kind.nesting(child)
    return next(
        (name for name, attribute in kind.attributes.items() if mark is not None and mark in attribute.marks), child
    )


def _doc(resource: Resource, kind: Kind) -> str:
    """Return what a person would want to read: the description, or the name where the kind has one that is not a
    person's.
    """
    for name in ("description", "title", "label", "name"):
        text = resource.attrs.get(name)
        known = kind.attributes.get(name)
        if isinstance(text, str) and text and known is not None and not carries_secret(text) and not known.hides(text):
            return redactor().show(text)
    return ""


def _parts(groups: Mapping[str, Sequence[PartGroup]], path: str, address: str) -> tuple[Section, ...]:
    """Return the parts of an object in all environments, in the order of the first one that has each."""
    names = dict.fromkeys((group.name, group.noun) for known in groups.values() for group in known)
    sections = []
    for name, noun in names:
        parts: dict[str, dict[str, IdPart]] = {}
        for environment, known in groups.items():
            for part in (part for group in known if group.name == name for part in group.parts):
                parts.setdefault(part.key, {})[environment] = part
        entries = [_part(part, f"{path}.{name}.{key}", f"{address}.{name}.{key}", noun) for key, part in parts.items()]
        sections.append(Section(name, noun, tuple(entries)))
    return tuple(sections)


def _part(parts: Mapping[str, IdPart], path: str, address: str, noun: str) -> IdEntry:
    first = next(iter(parts.values()))
    values = {
        environment: {name: value for name, value in part.values.items() if value is not None}
        for environment, part in parts.items()
    }
    inner = _parts({environment: part.groups for environment, part in parts.items()}, path, address)
    doc = redactor().show(first.description or first.key)
    return IdEntry(first.key, path, address, noun, doc, values, inner, None, False)
