"""What a kind declares of itself, and what follows from the declaration alone, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar

from reconciler.model.conforming import MASKED, PLAIN, Conforming, conforming
from reconciler.model.empty import NOTHING
from reconciler.model.facts import LONGEST, Facts
from reconciler.model.spec import (
    Attribute,
    Ensure,
    Immutable,
    OnAtFirst,
    Once,
    RefTo,
    Spec,
    WriteOnly,
    attributes,
)
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import Json, Value

M = TypeVar("M")


class Declared:
    """Class attributes are the declaration. Instances are stateless but for what follows from it, which is computed
    once.
    """

    name: ClassVar[str] = ""
    """First part of its addresses, and its name in references."""
    section: ClassVar[str] = ""
    """Key of its part of a configuration; "" where it is declared inside another kind."""
    spec: ClassVar[type[Spec]] = Spec
    """What can be declared."""
    title: ClassVar[str] = ""
    """What a person calls one."""
    path: ClassVar[str] = ""
    """Path of the API to write to; several are divided by ", "."""
    wrapper: ClassVar[str] = ""
    """Key of the object in requests and in the answer to a create."""
    nested: ClassVar[str] = ""
    """Kind in whose objects it is declared; "" for none."""
    depends_on: ClassVar[tuple[str, ...]] = ()
    """Kinds created before it beside those that its attributes refer to."""
    variants: ClassVar[Mapping[str, type[Spec]]] = {}
    """Objects that every account has exactly one of, by key, each with a spec of its own: adopted, never created or
    deleted.
    """
    reading: ClassVar[Reading] = Reading()
    identity: ClassVar[Identity] = Identity()
    abilities: ClassVar[Abilities] = Abilities()
    texts: ClassVar[Texts] = Texts()
    rests: ClassVar[Mapping[str, str]] = {}
    """Facts that its writes rest on, by the attribute that shows whether they held; "" for all others."""
    facts: Facts = Facts()
    """What is known of the account that it is used on."""

    def informed(self, facts: Facts) -> Self:
        """Return the kind as it is on an account of which these facts are known."""
        kind = copy(self)
        kind.facts = facts
        return kind

    def settled(self, changed: Mapping[str, Value]) -> bool:
        """Return whether an update to these values need not be read back: it was found on this very account that PUT
        takes what is sent, keeps the rest, and alters no text; and they are short texts on which no name and no id
        hangs.
        """
        if not (self.facts.own(f"put.{self.name}", "merge") and self.facts.keeps_texts):
            return False
        return all(
            isinstance(value, str) and len(value) <= LONGEST and self._plain(self.attributes[name])
            for name, value in changed.items()
        )

    def _plain(self, attribute: Attribute) -> bool:
        names = {self.identity.name_attribute, *(name for together in self.identity.unique for name in together)}
        special = attribute.has(RefTo, Ensure, Once, OnAtFirst, WriteOnly, Immutable)
        return attribute.api is not None and attribute.shape == "text" and attribute.name not in names and not special

    def fits(self, identity: str) -> bool:
        """Return whether an object of this kind may have this id."""
        return identity in self.variants if self.variants else self.reading.collections[0].names(identity)

    def holds(self, name: str, value: Json) -> bool:
        """Return whether an attribute may have an encoded value, also one that is masked."""
        return value.__class__ in self._scalars.get(name, ()) or self._holds(name, value)

    @cached_property
    def _scalars(self) -> Mapping[str, frozenset[type]]:
        """The types of which an attribute takes every scalar: `conforming` asks for nothing else of one."""
        samples: tuple[Json, ...] = ("", 0, 0.5, False, None)
        return {
            name: frozenset(type(sample) for sample in samples if self._holds(name, sample))
            for name in self._conforming
        }

    def _holds(self, name: str, value: Json) -> bool:
        may_be = self._conforming.get(name)
        return may_be is None or value == MASKED or any(conforms(value) for conforms in may_be)

    @cached_property
    def _conforming(self) -> Mapping[str, Sequence[Conforming]]:
        """What tells whether a value can be one of an attribute: of any variant that has it, else of its shape."""
        specs = (*self.variants.values(), self.spec)
        known = {
            name: [spec.model_fields[name].annotation for spec in specs if name in spec.model_fields]
            or [PLAIN.get(self.attributes[name].shape)]
            for name in dict.fromkeys((*self.attributes, *(name for spec in specs for name in spec.model_fields)))
        }
        return {name: [conforming(annotation) for annotation in annotations] for name, annotations in known.items()}

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes of the spec by name, or of all variants together."""
        if not self.variants:
            return attributes(self.spec)
        return {name: attribute for spec in self.variants.values() for name, attribute in attributes(spec).items()}

    @cached_property
    def _by_mark(self) -> Mapping[type, Mapping[str, Any]]:
        by_mark: dict[type, dict[str, object]] = {}
        for name, attribute in self.attributes.items():
            for kind, mark in attribute.by_type.items():
                by_mark.setdefault(kind, {})[name] = mark
        return by_mark

    def marked(self, kind: type[M]) -> Mapping[str, M]:
        """Return the attributes that carry a mark, with it: asked for with every object."""
        return self._by_mark.get(kind, NOTHING)

    def spec_of(self, key: str) -> type[Spec] | None:
        """Return the spec of the resource with this key; None where only certain keys exist and this is none."""
        return self.variants.get(key) if self.variants else self.spec
