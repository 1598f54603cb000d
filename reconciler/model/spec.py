"""Specs: what a user may declare for a kind, and what follows from each attribute (marks in its annotation).

A spec is a pydantic model; `attributes(spec)` reads its marks. Absent means unmanaged, `null` means clear it.
"""

import functools
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self, TypeVar, cast, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reconciler.model import codecs
from reconciler.model.codecs import Ids, Shape
from reconciler.model.empty import no_items, no_members
from reconciler.model.values import Json, Lookup, Ref, Value

M = TypeVar("M")


class Spec(BaseModel):
    """Root of the models of declared resources: unknown attributes are errors, values are never coerced."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)


class Lifecycle(Spec):
    """What may happen to a resource."""

    prevent_destroy: bool = Field(False, description="Refuse every plan that would delete this object.")
    ignore_changes: list[str] = Field(default_factory=no_items, description="Attributes whose drift is left alone.")
    adopt: Literal["auto", "never"] = Field(
        "auto", description="Whether an existing object of the same name may be taken over."
    )
    on_destroy: dict[str, str] = Field(
        default_factory=no_members, description="What to do before a delete; what is offered depends on the kind."
    )


# --- marks ---------------------------------------------------------------------------------------------------------


class Mark:
    """A mark that says all that it has to say by being there; one is like another of its type."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _alike(mark: tuple[object, ...], other: object) -> bool:
    return type(mark) is type(other) and tuple.__eq__(mark, other)


def _unlike(mark: tuple[object, ...], other: object) -> bool:
    return not _alike(mark, other)


def _hashed(mark: tuple[object, ...]) -> int:
    return hash((type(mark), *mark))


def _of_its_type(mark: type[M]) -> type[M]:
    """Let a named tuple be like none of another type: `typing` takes two annotations with equal marks for one."""
    for name, method in (("__eq__", _alike), ("__ne__", _unlike), ("__hash__", _hashed)):
        setattr(mark, name, method)
    return mark


@_of_its_type
class Api(NamedTuple):
    """The attribute's name in the API; None when it is not a plain property of the object and the kind's flow handles
    it. `read` is its name in answers where that differs from the one to write.
    """

    name: str | None
    read: str = ""


class Immutable(Mark):
    """The API cannot change it: a change is destroy and create."""

    __slots__ = ()


@_of_its_type
class CreateOnly(NamedTuple):
    """Sent on create; afterwards only a person can change it. `how` says where. Planned as a manual step, never as
    a replace.
    """

    how: str


class Once(Mark):
    """Sent with the create and never again, never compared and never kept (passwords)."""

    __slots__ = ()


@_of_its_type
class Observed(NamedTuple):
    """The reference does not list it; recorded traffic or programs in production write it. `why` names the source."""

    why: str


@_of_its_type
class Sensitive(NamedTuple):
    """Never shown in full (tokens in URLs); with `queries`, only where a URL holds more than host and path."""

    queries: bool = False


class WriteOnly(Mark):
    """Sent, never returned: compared with what was last applied."""

    __slots__ = ()


class Unordered(Mark):
    """A list compared as a set."""

    __slots__ = ()


class Folded(Mark):
    """Text compared without case (and without a leading `#`)."""

    __slots__ = ()


@_of_its_type
class Keyed(NamedTuple):
    """A map of sub-objects: entries that are not declared are left alone, entries once applied and no longer declared
    are removed.
    """

    fold: bool = False


@_of_its_type
class Coded(NamedTuple):
    """Texts that the API spells otherwise: what is declared -> what is sent. Others pass as they are."""

    codes: Mapping[str, str | int]


@_of_its_type
class SentAs(NamedTuple):
    """How the API wants a text spelled that users may spell otherwise (case of currencies, `#` of colours)."""

    rule: Callable[[str], str | None]


@_of_its_type
class Normal(NamedTuple):
    """How values of this attribute are brought into the form in which they are compared."""

    rule: Callable[[Any], Any]


class Expected(Mark):
    """Documented as required on create: a plan that creates the object without it, or empties it, is refused. An object
    that exists may be managed without it, so that `validate`, which does not know the account, warns.
    """

    __slots__ = ()


@_of_its_type
class Takes(NamedTuple):
    """Which values the API takes: `rule` says what is wrong with another one ("is not a currency"), "" for nothing."""

    rule: Callable[[Any], str]


@_of_its_type
class Doubts(NamedTuple):
    """Which values are hardly meant: `rule` says what is odd about one, "" for nothing. No source says that the API
    refuses them, so it is a word beforehand and no more.
    """

    rule: Callable[[Any], str]


class Commas(Mark):
    """A list that the API keeps as one text with commas; compared as a set."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RefTo:
    """The attribute holds references to objects of `kind`; `none` is the API's sentinel for no reference.

    `lookup` names the attribute by which a plain text with an `@` is looked up (users by e-mail). Where another
    attribute of the object, `by`, decides of which kind they are, `kinds` says which by its values. `later` references
    do not order the kinds: those that are meant may refer back to this one.
    """

    kind: str
    none: str = "0"
    lookup: str = ""
    by: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict, hash=False)
    later: bool = False

    @property
    def every(self) -> tuple[str, ...]:
        """All kinds that may be meant."""
        return tuple(self.kinds.values()) or (self.kind,)

    def chosen(self, value: object) -> Self:
        """Return the mark for an object whose attribute `by` has this value."""
        return replace(self, kind=self.kinds.get(str(value), self.kind)) if self.by else self


@_of_its_type
class Roster(NamedTuple):
    """A list of references in order, of which only what is declared counts: entries that are not declared stay where
    they are, those that were applied and are no longer declared are taken out. `short` is the attribute of those
    referred to that says the same of one of them.
    """

    short: str


@_of_its_type
class Default(NamedTuple):
    """Part of the declaration even when the user leaves it out (identity). `KEY` stands for the resource's key."""

    value: Value


@_of_its_type
class Ensure(NamedTuple):
    """Where the user leaves it out and the live object has none: without it the object is invisible to humans."""

    value: Value


class OnAtFirst(Mark):
    """A flag that the server sets where it is left out: one that is off has to be said, also of a copy."""

    __slots__ = ()


class AfterCreate(Mark):
    """The API ignores it on create; it needs an update afterwards."""

    __slots__ = ()


@_of_its_type
class Nested(NamedTuple):
    """A map of resources of another kind, each with its own address below this one; its order is the order in the
    file.
    """

    kind: str
    parent: str


KEY = "\ue002key"
"""As the value of `Default`: the resource's key."""


def _parse_reference(value: object) -> object:
    if isinstance(value, str) and value:
        return Ref("", value)
    if isinstance(value, dict) and len(value) == 1:
        ((by, text),) = value.items()
        if isinstance(text, str | int) and not isinstance(text, bool) and isinstance(by, str):
            return Lookup("", by, str(text))
    if isinstance(value, Ref | Lookup):
        return value
    raise ValueError('a reference is the key of a declared resource, or a look-up such as {name: Admin} or {id: "3"}')


Link = typing.Annotated[
    Ref | Lookup,
    BeforeValidator(_parse_reference),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "Key of a declared resource."},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "description": "Look-up of a live object, e.g. {name: Admin}.",
                },
            ]
        }
    ),
]
"""The type of an attribute that refers to another resource; its `RefTo` mark says of which kind."""


def _parse_address(value: object) -> object:
    """Read a reference that names its kind itself; anything else stays as it is."""
    if not isinstance(value, dict) or not {"ref", "look_up"} & set(value):
        return value
    kind, _, key = str(value.get("ref", "")).partition(".")
    if set(value) == {"ref"} and kind and key:
        return Ref(kind, key)
    rest = {name: text for name, text in value.items() if name != "look_up"}
    if "look_up" in value and "ref" not in value and len(rest) == 1:
        ((by, text),) = rest.items()
        if isinstance(text, str | int) and not isinstance(text, bool):
            return Lookup(str(value["look_up"]), str(by), str(text))
    raise ValueError("a reference here is {ref: tag.vip}, or a look-up such as {look_up: automation, name: Welcome}")


AnyLink = typing.Annotated[
    Ref | Lookup,
    BeforeValidator(_parse_address),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"ref": {"type": "string", "description": "Address of a declared resource."}},
                    "required": ["ref"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"look_up": {"type": "string", "description": "Kind of a live object."}},
                    "required": ["look_up"],
                    "minProperties": 2,
                    "maxProperties": 2,
                },
            ]
        }
    ),
]
"""The type of a place where objects of any kind may be meant (segment conditions): the reference names its kind."""


# --- attributes ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a spec with everything its marks say. `api` is None where the kind's flow handles it."""

    name: str
    api: str | None
    shape: Shape
    description: str
    required: bool
    marks: tuple[object, ...]
    choices: tuple[str, ...] = ()
    by_type: Mapping[type, object] = field(init=False, repr=False, compare=False)
    """The marks by their type: they are asked for with every attribute of every object."""
    codec: codecs.Codec = field(init=False, repr=False, compare=False)
    read: str | None = field(init=False, repr=False, compare=False)
    """The name of the property in answers."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_type", {type(mark): mark for mark in reversed(self.marks)})
        object.__setattr__(self, "codec", _codec(self))
        named = self.mark(Api)
        object.__setattr__(self, "read", (named.read if named is not None else "") or self.api)

    def mark(self, kind: type[M]) -> M | None:
        """Return the mark of that type, or None."""
        return cast("M | None", self.by_type.get(kind))

    def has(self, *kinds: type) -> bool:
        """Return whether the attribute carries one of these marks."""
        return not self.by_type.keys().isdisjoint(kinds)

    def hides(self, *values: object) -> bool:
        """Return whether values, any of these, are kept out of every output and file: tokens in URLs, passwords."""
        mark = self.mark(Sensitive)
        if self.has(WriteOnly) or (mark is not None and not mark.queries):
            return True
        return mark is not None and any(isinstance(value, str) and _beside_path(value) for value in values)

    def encode(self, value: Value, ids: Ids) -> Json:
        """Return what to send for a value in normal form; `ids` answers remote ids of references."""
        return self.codec.encode(value, ids)

    def decode(self, raw: Json) -> Value:
        """Return the normal form of what the API returned. Raises ValueError for what this attribute cannot have."""
        return self.codec.decode(raw)

    def entry(self, key: str) -> str:
        """Return the form in which the key of an entry of a map is compared."""
        return self.codec.entry(key) if isinstance(self.codec, codecs.MapCodec) else key

    def cleared(self, value: Value) -> Value:
        """Return how a declaration says that there is nothing, of an account that holds this in place of a value."""
        if self.shape in ("list", "refs", "commas"):
            return []
        if self.has(Keyed):
            return {}
        return value if value is False or (value == 0 and isinstance(value, int)) else None

    def normal(self, value: Value) -> Value:
        """Return the form in which two values are compared (section 8.1 of the API page)."""
        rule = self.mark(Normal)
        return self.codec.normal(value) if rule is None else rule.rule(value)


def _codec(attribute: Attribute) -> codecs.Codec:
    mark, name = attribute.mark, attribute.name
    link = mark(RefTo) or RefTo("")
    coded, sent, keyed = mark(Coded), mark(SentAs), mark(Keyed)
    makers: Mapping[Shape, Callable[[], codecs.Codec]] = {
        "flag": lambda: codecs.FlagCodec(name),
        "number": lambda: codecs.NumberCodec(name),
        "text": lambda: codecs.TextCodec(
            name, coded.codes if coded else None, sent.rule if sent else None, attribute.has(Folded)
        ),
        "ref": lambda: codecs.LinkCodec(name, link.kind, link.none),
        "refs": lambda: codecs.LinksCodec(name, link.kind, link.none, attribute.has(Commas)),
        "commas": lambda: codecs.CommasCodec(name),
        "list": lambda: codecs.TextsCodec(name, attribute.has(Unordered)),
        "map": lambda: codecs.MapCodec(name, keyed is not None, keyed is not None and keyed.fold),
        "other": lambda: codecs.DocumentCodec(name),
    }
    return makers[attribute.shape]()


def _beside_path(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    return bool(parts.query or parts.fragment or "@" in parts.netloc)


def _shape(annotation: object, marks: Iterable[object]) -> tuple[Shape, tuple[str, ...]]:
    options = [item for item in _members(annotation) if item is not type(None)]
    lists = any(get_origin(item) is list for item in options)
    commas = any(isinstance(mark, Commas) for mark in marks)
    if any(isinstance(mark, RefTo) for mark in marks):
        return ("refs" if lists or commas else "ref"), ()
    if commas:
        return "commas", ()
    if lists:
        return ("other" if str in options else "list"), ()
    return ("map", ()) if any(map(_is_map, options)) else _scalar_shape(options)


def _is_map(option: object) -> bool:
    return get_origin(option) is dict or (isinstance(option, type) and issubclass(option, BaseModel))


def _scalar_shape(options: Sequence[object]) -> tuple[Shape, tuple[str, ...]]:
    choices = tuple(str(value) for item in options if get_origin(item) is Literal for value in get_args(item))
    if choices or str in options:
        return "text", choices
    if bool in options:
        return "flag", ()
    return ("number", ()) if int in options else ("other", ())


def _members(annotation: object) -> list[object]:
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return _members(get_args(annotation)[0])
    if origin in (typing.Union, type(int | str)):
        return [member for item in get_args(annotation) for member in _members(item)]
    return [annotation]


@functools.cache
def attributes(spec: type[Spec]) -> dict[str, Attribute]:
    """Return the attributes of a spec by name, in the order of declaration; `lifecycle` is not one of them."""
    by_name: dict[str, Attribute] = {}
    for name, info in spec.model_fields.items():
        if name == "lifecycle":
            continue
        marks = tuple(info.metadata)
        api = next((mark.name for mark in marks if isinstance(mark, Api)), name)
        shape, choices = _shape(info.annotation, marks)
        by_name[name] = Attribute(name, api, shape, info.description or "", info.is_required(), marks, choices)
    return by_name
