"""What of a live object a configuration can say: accounts hold types that no reference lists and leave texts empty that
a declaration needs. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from reconciler.model import values
from reconciler.model.kind import Kind, Live
from reconciler.model.spec import KEY, Attribute, Default, Keyed, attributes
from reconciler.model.values import Ref, RemoteId, Value

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Declarable:
    """The attributes that can be declared, what is left out of them (name -> why), and why none of it can be."""

    attrs: Mapping[str, Value]
    dropped: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def declarable(kind: Kind, live: Live) -> Declarable:
    """Return what an export may declare for a live object; references stay `RemoteId`."""
    spec = kind.variants.get(live.id, kind.spec)
    known = attributes(spec)
    attrs = {name: value for name, value in kind.declare(live.attrs).items() if name in known}
    dropped: dict[str, str] = {}
    for name, one in known.items():
        # Left out, it would be the key: another name than the account's.
        if one.has(Default) and one.mark(Default).value == KEY and name in live.attrs and name not in attrs:
            return Declarable(attrs, dropped, _why(one, None))
    while True:
        try:
            spec.model_validate(values.transform(attrs, _standing))
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
        else:
            return Declarable(attrs, dropped)
        for detail in details:
            name, *inside = (str(step) for step in detail["loc"]) if detail["loc"] else ("",)
            attribute = known.get(name)
            if attribute is None:
                return Declarable(attrs, dropped, detail["msg"].removeprefix("Value error, "))
            if attribute.has(Keyed) and inside and isinstance(attrs.get(name), Mapping):
                entry = inside[0]
                dropped[f"{name}.{entry}"] = f"its `{name}.{entry}` cannot be declared"
                attrs[name] = {key: part for key, part in attrs[name].items() if key != entry}
                continue
            why = _why(attribute, attrs.get(name))
            if attribute.required or attribute.has(Default):
                return Declarable(attrs, dropped, why)
            if name in attrs:
                dropped[name] = why
                del attrs[name]


def _standing(leaf: Value) -> Value:
    """Any reference will do: what it refers to is no question here."""
    return Ref("", "x") if isinstance(leaf, RemoteId) else leaf


def _why(attribute: Attribute, value: Value) -> str:
    if value in (None, "", [], {}):
        return f"it has no `{attribute.name}`"
    shown = "a value" if attribute.hides(value) or not isinstance(value, str | int) else f"`{str(value)[:SHOWN]}`"
    return f"its `{attribute.name}` is {shown}, which cannot be declared"
