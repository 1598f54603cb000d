"""Entries of sections to resources: keys, validation by the kind's spec, defaults, nested resources, references."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Positions, Scalar, entries_of, is_null
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.validation import validated
from reconciler.model.address import KEY_PATTERN, join
from reconciler.model.desired import Resource
from reconciler.model.grammar import a
from reconciler.model.kind import Kind, Kinds
from reconciler.model.nearest import did_you_mean, nearest
from reconciler.model.records import mutable
from reconciler.model.spec import KEY, Default, Lifecycle, Nested, RefTo, Spec, attributes
from reconciler.model.values import SCALARS, Lookup, Ref, Value

LIFECYCLE = "lifecycle"
OWNER = "x-owner"
"""Who is in charge: for people, and for the handbook; nothing is planned by it."""
ON_DESTROY = ("move_deals_to", "move_tasks_to")
M = TypeVar("M")


@mutable
class Reader:
    """Reads resources and remembers every declared address with its entry, whether it is valid or not."""

    kinds: Kinds
    scope: Scope
    declared: dict[str, Entry] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    broken: dict[str, Resource] = field(default_factory=dict)
    """Resources with something wrong in them: their references, as far as those can be read, are checked too."""

    @property
    def problems(self) -> Problems:
        """Where to tell what is wrong."""
        return self.scope.problems

    def read(
        self, kind: Kind, entries: Mapping[str, Entry], parent: Resource | None = None, mark: Nested | None = None
    ) -> None:
        """Read the resources of a section, or those nested in a parent."""
        for rank, (key, entry) in enumerate(entries.items()):
            if not KEY_PATTERN.match(key):
                self._bad_key(key, entry)
                continue
            self._read_one(kind, key, entry, rank, parent, mark)

    def _bad_key(self, key: str, entry: Entry) -> None:
        fixed = "".join(
            letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_" for letter in key
        ).strip("-")
        hint = f"write `{fixed}`; " if KEY_PATTERN.match(fixed) and fixed.strip("_") else ""
        message = f"`{key}` cannot be a key"
        self.problems.error(
            "bad-key", message, entry.key.spot, f"{hint}keys are letters, digits, `_` and `-`; names go into attributes"
        )

    def _read_one(
        self, kind: Kind, key: str, entry: Entry, rank: int, parent: Resource | None, mark: Nested | None
    ) -> None:
        full = f"{parent.key}.{key}" if parent is not None else key
        address = join(kind.name, full)
        self.declared[address] = entry
        wanted = self._spec_of(kind, key, entry)
        if wanted is None:
            return
        entries = entries_of(entry.value)
        shape = _shape(wanted)
        nests = shape.nested_in(entries)
        data = self._data(entries, (LIFECYCLE, OWNER, *nests))
        if OWNER in entries:
            self._check_owner(entries[OWNER])
        # A required map of nested resources is there, though validation does not see it.
        spec = validated(wanted, {**_cleared(data, wanted), **{name: {} for name in nests}}, entry, self.scope)
        spec = self._filled(kind, spec, shape, entries) if spec is not None else None
        lifecycle = self._lifecycle(kind, entries[LIFECYCLE]) if LIFECYCLE in entries else _unremarkable()
        # What an include puts before a key is not part of its name.
        attrs = _attrs(spec, shape, entry.key.text) if spec is not None else {}
        if parent is not None and mark is not None:
            attrs[mark.parent] = Ref(parent.kind, parent.key)
        inside = parent.address if parent is not None else None
        life, at, places = lifecycle or Lifecycle(), entry.key.position, Positions(entries)
        resource = Resource(address, kind.name, full, attrs, life, at, places, inside, rank, tuple(nests))
        if spec is not None and lifecycle is not None:
            self.resources[address] = resource
        else:
            self.broken[address] = resource._replace(attrs=_references(wanted, data))
        for name, nested in nests.items():
            self.read(self.kinds[nested.kind], entries_of(entries[name].value), resource, nested)

    def _data(self, entries: Mapping[str, Entry], but: Collection[str]) -> dict[str, Any]:
        """Return the values of a resource's attributes, variables filled in, without those read otherwise."""
        return {name: self.scope.data(entry.value) for name, entry in entries.items() if name not in but}

    def _check_owner(self, entry: Entry) -> None:
        if is_null(entry.value):
            return
        if not isinstance(entry.value, Scalar) or not isinstance(entry.value.value, str) or "${" in entry.value.text:
            hint = f"write a name, of a team rather than of a person: `{OWNER}: marketing`"
            self.problems.error("wrong-type", f"`{OWNER}` must be a plain text", entry.spot, hint)

    def _spec_of(self, kind: Kind, key: str, entry: Entry) -> type[Spec] | None:
        """Return what can be declared there; None where that was reported to be nothing."""
        if not isinstance(entry.value, Map) and not is_null(entry.value):
            self.problems.error(
                "wrong-type",
                f"`{key}` must be a map of attributes",
                entry.spot,
                f"write `{key}: {{}}` for one without any",
            )
            return None
        wanted = kind.spec_of(key)
        if wanted is None:
            near = did_you_mean(key, kind.variants, f"there are {listed(kind.variants)}")
            self.problems.error("unknown-key", f"there is no {kind.name} `{key}`", entry.key.spot, near)
        return wanted

    def _filled(self, kind: Kind, spec: Spec, shape: _Shape, entries: Mapping[str, Entry]) -> Spec | None:
        """Return the spec; None where a text is empty that identifies the object or is required."""
        empty = [name for name in shape.filled if getattr(spec, name) == "" and name in entries]
        for name in empty:
            hint = f"leave `{name}` out to take the key" if name in dict(shape.defaults) else ""
            message = f"`{name}` is empty, and no account takes {a(kind.title.lower() or kind.name)} with an empty one"
            self.problems.error("empty-text", message, entries[name].spot, hint)
        return None if empty else spec

    def _lifecycle(self, kind: Kind, entry: Entry) -> Lifecycle | None:
        """Return what may happen to the resource; None where it is wrong."""
        if is_null(entry.value):
            return _unremarkable()
        lifecycle = validated(Lifecycle, self.scope.data(entry.value), entry, self.scope)
        if lifecycle is None:
            return None
        parts = entries_of(entry.value)
        for name in lifecycle.ignore_changes:
            if name not in kind.attributes:
                hint = did_you_mean(name, kind.attributes)
                message = f"{kind.name} has no attribute `{name}` whose changes could be ignored"
                self.problems.error("unknown-attribute", message, parts["ignore_changes"].spot, hint)
        for name, step in entries_of(parts["on_destroy"].value if "on_destroy" in parts else None).items():
            if name not in ON_DESTROY:
                near = nearest(name, ON_DESTROY)
                hint = f"did you mean `{near}`?" if near else f"there are {listed(ON_DESTROY)}"
                self.problems.error(
                    "unknown-attribute", f"`{name}` is nothing that can be done before a delete", step.key.spot, hint
                )
        return lifecycle


def _references(spec: type[Spec], data: Mapping[str, Any]) -> dict[str, Value]:
    """Return the attributes of a wrong resource that hold references and are right by themselves."""
    references = {}
    for name, mark in _shape(spec).names:
        if mark is None or name not in data or "${" in repr(data[name]):  # not filled in: told elsewhere
            continue
        try:
            value = _alone(spec, name).validate_python(data[name], strict=True)
            references[name] = plain(value, mark.chosen(data.get(mark.by)))
        except ValidationError:
            continue
    return references


@functools.cache
def _alone(spec: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Return what validates one attribute of a spec."""
    info = spec.model_fields[name]
    annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


@functools.cache
def _unremarkable() -> Lifecycle:
    """The lifecycle that all resources share that say nothing of theirs."""
    return Lifecycle.model_construct()


class _Shape(NamedTuple):
    """What the marks of a spec mean for reading it: references by attribute, defaults, maps of nested resources."""

    names: tuple[tuple[str, RefTo | None], ...]
    defaults: tuple[tuple[str, Value], ...]
    nested: Mapping[str, Nested]
    filled: tuple[str, ...] = ()
    """Texts that cannot be empty: required ones, and those that default to something."""

    def nested_in(self, entries: Mapping[str, Entry]) -> dict[str, Nested]:
        """Return the marks of the maps of nested resources that stand there."""
        return {
            name: mark
            for name, mark in self.nested.items()
            if name in entries and (isinstance(entries[name].value, Map) or is_null(entries[name].value))
        }


@functools.cache
def _shape(spec: type[BaseModel]) -> _Shape:
    fields = {name: info for name, info in spec.model_fields.items() if name != LIFECYCLE}
    nested = {name: nest for name, info in fields.items() if (nest := _mark(info, Nested)) is not None}
    defaults = {name: mark.value for name, info in fields.items() if (mark := _mark(info, Default)) is not None}
    names = tuple((name, _mark(info, RefTo)) for name, info in fields.items() if name not in nested)
    filled = tuple(
        name for name, info in fields.items() if info.annotation is str and (info.is_required() or name in defaults)
    )
    return _Shape(names, tuple(defaults.items()), nested, filled)


def _mark(info: FieldInfo, kind: type[M]) -> M | None:
    return next((mark for mark in info.metadata if isinstance(mark, kind)), None)


def _cleared(data: dict[str, Any], wanted: type[Spec]) -> dict[str, Any]:
    """Return attributes with null for each empty text that none of its kind can be: so an overlay clears a value
    (decision 0065).
    """
    if "" not in data.values():
        return data
    known = attributes(wanted)
    return {
        name: None if value == "" and name in known and (known[name].shape != "text" or known[name].choices) else value
        for name, value in data.items()
    }


def _attrs(spec: Spec, shape: _Shape, key: str) -> dict[str, Value]:
    """Return the declared attributes in the order of the spec, and the defaults that belong to the identity."""
    given = spec.model_fields_set
    attrs: dict[str, Value] = {}
    for name, mark in shape.names:
        if name in given:
            value = getattr(spec, name)
            attrs[name] = value if value.__class__ in SCALARS else plain(value, _chosen(spec, mark))
    for name, value in shape.defaults:
        if name not in attrs:
            attrs[name] = key if value == KEY else value
    return attrs


def _chosen(spec: Spec, mark: RefTo | None) -> RefTo | None:
    """Return the mark of an attribute, of the kind that the rest of the resource says."""
    return mark.chosen(getattr(spec, mark.by)) if mark is not None and mark.by else mark


def plain(value: Any, mark: RefTo | None) -> Value:
    """Return a validated value without models: texts, numbers, lists, maps, and references that know their kind."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (Ref, Lookup)):
        return _reference(value, mark)
    if isinstance(value, Mapping):
        return {key: plain(item, mark) for key, item in value.items()}
    if isinstance(value, BaseModel):
        return {
            name: plain(getattr(value, name), inner)
            for name, inner in _shape(type(value)).names
            if name in value.model_fields_set
        }
    return [plain(item, mark) for item in value]


def _reference(value: Ref | Lookup, mark: RefTo | None) -> Value:
    if value.kind:
        return value
    if mark is None:
        raise TypeError("an attribute with references says by RefTo of which kind they are")
    if isinstance(value, Lookup):
        return Lookup(mark.kind, value.by, value.value)
    # No key has an `@`, so nothing declared can be meant.
    return Lookup(mark.kind, mark.lookup, value.key) if mark.lookup and "@" in value.key else Ref(mark.kind, value.key)
