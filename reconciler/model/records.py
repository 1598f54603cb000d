"""Data classes that cost little to define.

`dataclasses.dataclass` writes up to ten functions for a class as text and compiles each: for the 270 classes of a plan
that was a quarter of its start. Here `__init__` alone is written, and the others are closures over the names of the
fields. What a class means, and every other option, is that of the standard library: `fields`, `replace` and `asdict`
work, and type checkers see its decorator.
"""

from __future__ import annotations

import dataclasses
import operator
import reprlib
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

Fields = Sequence[dataclasses.Field[Any]]
Method = Callable[..., Any]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **options):
        """Make a data class: `@dataclass`, or `@dataclass(frozen=True, slots=True, order=True, eq=False, ...)`."""
        return _made(cls) if cls is not None else lambda it: _made(it, **options)


def _made(cls: type, *, frozen: bool = False, eq: bool = True, order: bool = False, **options: bool) -> type:
    written = set(vars(cls))
    made: type = dataclasses.dataclass(init=False, repr=False, eq=False, **options)(cls)
    fields = dataclasses.fields(made)
    methods: dict[str, Method | None] = {"__init__": _init(made, fields, frozen), "__repr__": _repr(fields)}
    if eq:
        values = _values([one for one in fields if one.compare])
        methods |= {"__eq__": _compare(values, operator.eq), "__hash__": None}
        methods |= {
            f"__{name}__": _compare(values, getattr(operator, name)) for name in ("lt", "le", "gt", "ge") if order
        }
    if frozen:
        methods |= {"__setattr__": _no_set, "__delattr__": _no_delete}
        methods |= {"__getstate__": _state, "__setstate__": _restore} if options.get("slots") else {}
    if frozen and eq:
        methods["__hash__"] = _hash([one for one in fields if (one.compare if one.hash is None else one.hash)])
    for name, method in methods.items():
        if name not in written:
            setattr(made, name, method)
    return made


def _init(cls: type, fields: Fields, frozen: bool) -> Method:
    """Write the only function that is compiled: its parameters cannot be those of a closure."""
    # No field has a name with two underscores before it: in a class, Python gives such names another beginning.
    known: dict[str, Any] = {"__absent": dataclasses.MISSING, "__put": object.__setattr__}
    plain, keyword = ["self"], ["*"]
    body: list[str] = []
    found: dict[str, Callable[..., Method]] = {}
    for one in fields:
        name, value, default = one.name, one.name, ""
        if one.default_factory is not dataclasses.MISSING:
            known[f"__new_{name}"], default = one.default_factory, "=__absent"
            value = f"__new_{name}() if {name} is __absent else {name}" if one.init else f"__new_{name}()"
        elif one.default is not dataclasses.MISSING:
            known[f"__default_{name}"], default = one.default, f"=__default_{name}"
            value = name if one.init else f"__default_{name}"
        elif not one.init:
            continue
        if one.init:
            (keyword if one.kw_only else plain).append(name + default)
        body.append(f"__put(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    body += ["self.__post_init__()"] if hasattr(cls, "__post_init__") else []
    parameters = ", ".join(plain + (keyword if len(keyword) > 1 else []))
    text = f"def make({', '.join(known)}):\n def __init__({parameters}):\n  " + "\n  ".join(body or ["pass"])
    exec(f"{text}\n return __init__", {}, found)
    made = found["make"](**known)
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return made


def _values(fields: Fields) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gets the values of some fields."""
    names = [one.name for one in fields]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda of: tuple([getattr(of, name) for name in names])


def _repr(fields: Fields) -> Method:
    names = [one.name for one in fields if one.repr]

    def shown(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return reprlib.recursive_repr()(shown)


def _compare(values: Callable[[Any], Any], compare: Callable[[Any, Any], Any]) -> Method:
    def compared(self: object, other: object) -> Any:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


def _hash(fields: Fields) -> Method:
    values = _values(fields)
    return lambda self: hash(values(self))


def _no_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
