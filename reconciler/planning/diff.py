"""What differs between what is declared, what was last applied and what is live, one attribute at a time, in normal
form; and where two values differ inside. The only home of deepdiff.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from reconciler.model.codecs import MapCodec
from reconciler.model.desired import Resource
from reconciler.model.document import PartView
from reconciler.model.empty import NOTHING
from reconciler.model.errors import ConfigError
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import AttributeChange, Origin
from reconciler.model.spec import Attribute, Ensure, Keyed, Once
from reconciler.model.state import Binding
from reconciler.model.values import SCALARS, RemoteId, Value, carries_secret, decode, is_empty_or_off, map_of, transform
from reconciler.planning.bindings import is_kept, recall
from reconciler.planning.rosters import still


class Missing(Enum):
    """What stands for a side that there is not: null is a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
Known: TypeAlias = "Value | Missing"
Resolve = Callable[[Value], Value]


class Sides(NamedTuple):
    """The three sides of one attribute, references resolved: declared, last applied (or MISSING), live (or MISSING)."""

    desired: Value
    applied: Known
    live: Known


def same(desired: Value, live: Value) -> bool:
    """Return whether what is declared holds. Of a map only the declared entries count; null, "", false and empty are
    the same.
    """
    if isinstance(desired, dict) and isinstance(live, dict):
        return all(same(value, live.get(key)) for key, value in desired.items())
    if isinstance(desired, dict) and not live:
        return all(same(value, None) for value in desired.values())
    if isinstance(desired, list) and isinstance(live, list):
        return len(desired) == len(live) and all(same(mine, other) for mine, other in zip(desired, live, strict=True))
    if desired == live:
        return isinstance(desired, bool) == isinstance(live, bool)
    return is_empty_or_off(desired) and is_empty_or_off(live)


def beside(attribute: Attribute, declared: Value, live: Value) -> dict[tuple[str, ...], Value]:
    """Return what a live map holds, at any depth, of which a declared one says nothing, by its path: no difference for
    a plan, which leaves it alone. What is empty or off is nothing.
    """
    return dict(_beside(declared, live, attribute.entry))


def _beside(declared: Value, live: Value, entry: Callable[[str], str]) -> Iterator[tuple[tuple[str, ...], Value]]:
    if not isinstance(declared, Mapping) or not isinstance(live, Mapping):
        return
    known = {entry(key): value for key, value in declared.items()}
    for key, value in live.items():
        if entry(key) in known:
            yield from (((key, *path), inner) for path, inner in _beside(known[entry(key)], value, str))
        elif not is_empty_or_off(value):
            yield (key,), value


def within(attribute: Attribute, declared: Value, live: Value) -> Value:
    """Return a live map without what a declared one says nothing of, at any depth; anything else as it is."""
    return _within(declared, live, attribute.entry)


def _within(declared: Value, live: Value, entry: Callable[[str], str]) -> Value:
    if not isinstance(declared, Mapping) or not isinstance(live, Mapping):
        return live
    known = {entry(key): value for key, value in declared.items()}
    return {key: _within(known[entry(key)], value, str) for key, value in live.items() if entry(key) in known}


def joined(attribute: Attribute, declared: Value, more: Mapping[tuple[str, ...], Value]) -> Value:
    """Return a declared map with these parts put in, at their paths."""
    entries = dict(map_of(declared))
    for (first, *rest), value in more.items():
        key = next((key for key in entries if attribute.entry(key) == attribute.entry(first)), first)
        entries[key] = _put(entries.get(key), rest, value)
    return entries


def _put(into: Value, path: Sequence[str], value: Value) -> Value:
    if not path:
        return value
    inner = dict(into) if isinstance(into, Mapping) else {}
    return {**inner, path[0]: _put(inner.get(path[0]), path[1:], value)}


def holds(attribute: Attribute, sides: Sides, *, whole: bool = False) -> bool:
    """Return whether an attribute needs no write. One that the account does not return is compared with what was last
    applied. With `whole`, what the live one holds beside the declared one counts too.
    """
    against = sides.applied if sides.live is MISSING else sides.live
    if against is MISSING:
        return False
    desired, other = attribute.normal(sides.desired), attribute.normal(against)
    if whole:
        return same(desired, other) and same(other, desired)
    if attribute.has(Keyed):
        return same(desired, other) and not _removed(attribute, sides)
    return same(desired, other)


def _removed(attribute: Attribute, sides: Sides) -> set[str]:
    """Return the entries of a keyed map that were applied, are no longer declared and are still live."""
    applied, live = (set() if side is MISSING else _entries(attribute, side) for side in (sides.applied, sides.live))
    return (applied - _entries(attribute, sides.desired)) & live


def _entries(attribute: Attribute, value: Value) -> set[str]:
    return set(map_of(attribute.normal(value)))


def origin(attribute: Attribute, sides: Sides) -> Origin:
    """Return whose change it is: `config` (the declaration moved), `drift` (the account moved), `both`."""
    if sides.applied is MISSING:
        return "config"
    desired, applied = attribute.normal(sides.desired), attribute.normal(sides.applied)
    moved = not (same(desired, applied) and same(applied, desired))
    if sides.live is MISSING:
        return "config"
    drifted = not same(applied, attribute.normal(sides.live))
    if moved and drifted:
        return "both"
    return "drift" if drifted else "config"


def visible(attribute: Attribute, sides: Sides, *, whole: bool = False) -> Value:
    """Return what to show as the value before: of a map only the entries that are declared or about to go."""
    if sides.live is MISSING:
        return None
    if whole:
        return sides.live
    if attribute.has(Keyed) and isinstance(sides.live, dict):
        shown = _entries(attribute, sides.desired) | _removed(attribute, sides)
        return {key: value for key, value in sides.live.items() if _entries(attribute, {key: value}) & shown}
    if isinstance(sides.live, dict) and isinstance(sides.desired, dict):
        return {key: value for key, value in sides.live.items() if key in sides.desired}
    return sides.live


class Subject(NamedTuple):
    """What is compared: an object as it is declared, was applied and is live. `attrs` are the declared values as they
    will be written; with `whole` they are all that there is to be.
    """

    kind: Kind
    resource: Resource
    attrs: Mapping[str, Value]
    binding: Binding | None
    live: Live | None
    resolve: Resolve
    salt: str
    whole: bool = False


def differences(subject: Subject) -> list[AttributeChange]:
    """Return the attributes to write, in the order of the spec."""
    attrs, live = subject.attrs, subject.live
    plain = live.attrs if live is not None and subject.kind.plainly_seen and not subject.whole else NOTHING
    changes = []
    for name, attribute in subject.kind.attributes.items():
        if name not in attrs or (name in plain and _plainly_same(attrs[name], plain[name])):
            continue  # most attributes of most objects
        if live is not None and (name in subject.resource.lifecycle.ignore_changes or attribute.has(Once)):
            continue
        change = _differing(subject, attribute)
        if change is not None:
            changes.append(change)
    return changes


def _differing(subject: Subject, attribute: Attribute) -> AttributeChange | None:
    """Return how an attribute is to be written, None where it needs no write."""
    name, binding, whole = attribute.name, subject.binding, subject.whole
    value = subject.attrs[name]
    desired = subject.resolve(value)
    last = _last_applied(binding, name, subject.resolve, subject.resource)
    live = _seen(subject, attribute, desired, last)
    if live is not MISSING and not attribute.has(Keyed) and not whole and _alike(attribute, desired, live):
        return None
    sides = _recalled(binding, name, Sides(desired, last, live), subject.salt)
    if _is_as_declared(subject, attribute, sides):
        return None
    return AttributeChange(
        name=name,
        before=visible(attribute, sides, whole=whole),
        after=desired,
        origin="new" if subject.live is None else origin(attribute, sides),
        place=subject.resource.places.get(name),
        forces_replacement=sides.live is not MISSING and subject.kind.replaces(attribute, sides.live, desired),
        sensitive=attribute.hides(desired, live, sides.applied) or carries_secret(value) or _had_secret(binding, name),
        applied=None if sides.applied is MISSING else sides.applied,
        run=binding.run if binding else "",
    )


def _is_as_declared(subject: Subject, attribute: Attribute, sides: Sides) -> bool:
    """Return whether an attribute needs no write: of a new object, where null is declared."""
    name = attribute.name
    if subject.live is None:
        return subject.attrs[name] is None
    return holds(attribute, sides, whole=subject.whole) or rewritten(
        attribute, name, sides, subject.binding, subject.salt
    )


def _recalled(binding: Binding | None, name: str, sides: Sides, salt: str) -> Sides:
    """Return the sides with the value that was applied, where only its digest was kept and another side has it."""
    if binding is None or name not in binding.digests:
        return sides
    known = recall(binding, name, (sides.desired, sides.live), salt)
    return sides if known is None else sides._replace(applied=known)


def _seen(subject: Subject, attribute: Attribute, desired: Value, last: Known) -> Known:
    """Return the live value to compare with, MISSING where there is none."""
    name, kind, live, whole = attribute.name, subject.kind, subject.live, subject.whole
    if live is None:
        return MISSING
    counted = live.attrs.get(name) if whole else None if last is MISSING else last
    seen: Known = kind.seen(name, desired, live, counted) if name in live.attrs else MISSING
    return kind.declare(live.attrs).get(name, seen) if whole and isinstance(attribute.codec, MapCodec) else seen


def _alike(attribute: Attribute, desired: Value, there: Value) -> bool:
    return same(attribute.normal(desired), attribute.normal(there))


def _plainly_same(desired: Value, live: Value) -> bool:
    """Return whether a text, number or flag is declared as it is live, letter for letter."""
    return desired.__class__ in SCALARS and desired.__class__ is live.__class__ and desired == live


def _had_secret(binding: Binding | None, name: str) -> bool:
    """Return whether what was last applied held a secret: then the live value may show it."""
    return binding is not None and carries_secret(decode(binding.applied.get(name)))


def _last_applied(binding: Binding | None, name: str, resolve: Resolve, resource: Resource) -> Known:
    """Return what was last applied, or MISSING. What it referred to may be gone since, from account or environment."""
    if binding is None or name not in binding.applied:
        return MISSING
    value = still(resource, decode(binding.applied[name]))
    try:
        return resolve(value)
    except (LookupError, ConfigError):
        return value


def rewritten(attribute: Attribute, name: str, sides: Sides, binding: Binding | None, salt: str) -> bool:
    """Return whether the live value is what the server made of exactly this declaration before."""
    known: dict[str, Any] | None = binding.rewritten.get(name) if binding else None
    if known is None or sides.live is MISSING:
        return False
    desired, live = attribute.normal(sides.desired), attribute.normal(sides.live)
    return is_kept(desired, known["sent"], salt) and is_kept(live, known["got"], salt)


def completed(
    kind: Kind,
    attrs: Mapping[str, Value],
    live: Live | None,
    will_be_deleted: Callable[[RemoteId], bool],
    elsewhere: Collection[str] = (),
) -> dict[str, Value]:
    """Return the attributes to write: what is declared, and what must be there for people to see the object (see
    `Ensure`), unless another resource says it. What is `going` makes nothing visible.
    """
    attributes = dict(attrs)
    for name, floor in kind.marked(Ensure).items():
        if name in attrs or name in elsewhere:
            continue
        if live is None or (name in live.attrs and is_empty_or_off(_staying(live.attrs[name], will_be_deleted))):
            attributes[name] = transform(floor.value, lambda leaf: leaf)
    return attributes


def _staying(value: Value, will_be_deleted: Callable[[RemoteId], bool]) -> Value:
    """Return a reference, or the references of a list, that are not going."""
    if isinstance(value, RemoteId):
        return None if will_be_deleted(value) else value
    if isinstance(value, list):
        return [item for item in value if not (isinstance(item, RemoteId) and will_be_deleted(item))]
    return value


# --- inside two values ------------------------------------------------------------------------------------------------


def parts(before: Value, after: Value) -> list[PartView]:
    """Return what differs inside two encoded maps or lists, by path. Empty for scalars: there is nothing inside.

    Lists of maps with a `value` (options) are compared by it, so that one new option is one difference.
    """
    if not isinstance(before, dict | list) or type(before) is not type(after):
        return []
    from deepdiff import DeepDiff  # 0.3 s to import, and most plans have no use for it

    difference = DeepDiff(_keyed(before), _keyed(after), view="tree", verbose_level=2)
    rows = [_part(level) for levels in difference.values() for level in levels]
    return sorted(rows, key=lambda row: row.path)


def _keyed(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _keyed(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "value" in item for item in value):
        entries = {str(item["value"]): {k: _keyed(v) for k, v in item.items()} for item in value}
        return entries if len(entries) == len(value) else value
    return value


class DiffLevel(Protocol):
    """A difference, as deepdiff tells it."""

    t1: object
    t2: object

    def path(self, *, output_format: str) -> Iterable[object]: ...


def _part(level: DiffLevel) -> PartView:
    return PartView(path=".".join(_steps(level)), before=_side(level.t1), after=_side(level.t2))


def _steps(level: DiffLevel) -> Iterator[str]:
    return (str(step) for step in level.path(output_format="list"))


def _side(value: object) -> object:
    return None if type(value).__name__ == "NotPresent" else value
