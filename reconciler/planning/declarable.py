"""What of a live object a configuration can say: accounts hold types that no reference lists, leave texts empty that a
declaration needs, and nest what is not documented. Pure.

The one gate of all commands: what a row holds is compared with what a write of the decoded value would send. Where the
two differ, the attribute is not declarable in full: it is named by export, clone, compare, promote and absorb, and an
update that would write over it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.model import values
from reconciler.model.codecs import SHOWN, brief, differences
from reconciler.model.empty import NOTHING
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.redaction import abridged
from reconciler.model.spec import Attribute, Default, Keyed, Spec, WriteOnly, attributes
from reconciler.model.values import Ref, RemoteId, Value, is_empty_or_off, map_of
from reconciler.model.write import Finding

MOST = 3
"""Places that are named of one attribute, at most."""


class Declarable(NamedTuple):
    """The attributes that can be declared, what is left out of them (name -> why), and why none of it can be."""

    attrs: Mapping[str, Value]
    dropped: Mapping[str, str] = NOTHING
    problem: str = ""
    partly: Mapping[str, str] = NOTHING
    """Attributes that are declared without a part of what is there, which a write leaves alone: name -> why."""


class Loss(NamedTuple):
    """What of an attribute no declaration says: `what` names it. A write leaves it where it is, if it is `kept`."""

    what: str
    kept: bool


def losses(kind: Kind, live: Live) -> dict[str, Loss]:
    """Return the attributes that were not decoded in full; `""` stands for the object as a whole."""
    known = kind.attributes
    lossy = {name: Loss(_oddly(kind, live, read, name), kept=False) for read, name in live.odd.items()}
    for name, (stored, sent) in kind.echoes(live.sound if live.odd else live).items():
        if stored.__class__ is sent.__class__ and stored.__class__ in values.SCALARS and stored == sent:
            continue  # most of them, and the rules of each attribute would find nothing else
        attribute = known.get(name)
        differing = list(
            islice(
                differences(stored, sent) if attribute is None else attribute.codec.differing(stored, sent), MOST + 1
            )
        )
        if differing:
            shown = (
                "a value of another form" if attribute is not None and attribute.hides(stored) else _listed(differing)
            )
            lossy[name] = Loss(shown, name in kind.abilities.merges)
    return lossy


def _oddly(kind: Kind, live: Live, read: str, name: str) -> str:
    """Return what to say of a property of no known type."""
    attribute, stored = kind.attributes.get(name), live.row[read]
    if attribute is not None and attribute.hides(stored):
        return "a value of another form"
    return brief(stored) if attribute is not None else f"{read}: {brief(stored)}"


def refusals(kind: Kind, live: Live, names: Iterable[str]) -> list[Finding]:
    """Return why an update must not write these attributes: it would destroy what was not declared."""
    return [
        Finding(
            f"the account holds more than a declaration can say ({loss.what}), and a write would destroy it",
            attribute=name,
            hint=f"change it in ActiveCampaign, and say `lifecycle: {{ignore_changes: [{name}]}}` here",
        )
        for name, loss in _destroyed(losses(kind, live), names)
    ]


def unsaid(address: str, lost: Mapping[str, Loss], names: Iterable[str]) -> list[str]:
    """Return one line for each of these attributes of a managed object that came to hold more than was declared, by its
    losses: where all that was understood of it is as declared, nothing else would tell.
    """
    return [
        f"{address}: `{name}` holds more in the account than a declaration can say ({loss.what}); it stays so, "
        "and a change of it is refused"
        for name, loss in _destroyed(lost, names)
    ]


def _destroyed(lost: Mapping[str, Loss], names: Iterable[str]) -> list[tuple[str, Loss]]:
    """Return those of these attributes of which a write would destroy something."""
    return [(name, lost[name]) for name in names if name in lost and not lost[name].kept]


def _listed(paths: list[str]) -> str:
    more = ", ..." if len(paths) > MOST else ""
    return ", ".join(paths[:MOST]) + more


def declarable(kind: Kind, live: Live, untold: Mapping[str, str] = MappingProxyType({})) -> Declarable:
    """Return what an export may declare for a live object; references stay `RemoteId`. What could not be read of it is
    `untold`: attribute -> why.
    """
    spec = kind.variants.get(live.id, kind.spec)
    known = attributes(spec)
    attrs = {name: value for name, value in kind.declare(live.attrs).items() if name in known}
    dropped: dict[str, str] = {}
    partly = unread(known)
    problem = _unnamed(known, live, attrs) or _lossy(kind, live, attrs, dropped, partly)
    if problem:
        return Declarable(attrs, dropped, problem, partly)
    while details := _faults(spec, attrs):
        for detail in details:
            why = _leave_out(detail, known, attrs, dropped, untold)
            if why is not None:
                return Declarable(attrs, dropped, why, partly)
    return Declarable(attrs, dropped, partly=partly)


def _faults(spec: type[Spec], attrs: Mapping[str, Value]) -> list[ErrorDetails]:
    """Return what keeps a spec from having these attributes."""
    try:
        spec.model_validate(values.transform(attrs, _standing))
    except ValidationError as error:
        return error.errors(include_url=False, include_input=False, include_context=False)
    return []


def _leave_out(
    fault: ErrorDetails,
    known: Mapping[str, Attribute],
    attrs: dict[str, Value],
    dropped: dict[str, str],
    untold: Mapping[str, str],
) -> str | None:
    """Drop the attribute or entry that is at fault; return why nothing can be declared where it is needed."""
    name, *inside = (str(step) for step in fault["loc"]) if fault["loc"] else ("",)
    attribute = known.get(name)
    if attribute is None:
        return fault["msg"].removeprefix("Value error, ")
    if attribute.has(Keyed) and inside and isinstance(attrs.get(name), Mapping):
        entry = inside[0]
        dropped[f"{name}.{entry}"] = f"its `{name}.{entry}` cannot be declared"
        attrs[name] = {key: part for key, part in map_of(attrs[name]).items() if key != entry}
        return None
    why = f"its `{name}` could not be read: {untold[name]}" if name in untold else _why(attribute, attrs.get(name))
    if attribute.required or attribute.has(Default):
        return why
    if name in attrs:
        dropped[name] = why
        del attrs[name]
    return None


def undeclared(kind: Kind, live: Live) -> Declarable:
    """Return all that an object holds as far as it was decoded, whether files could say it or not: for comparing."""
    lost = {
        name: f"`{name}` holds more than can be compared ({loss.what})" if name else f"it holds {loss.what} too"
        for name, loss in losses(kind, live).items()
    }
    return Declarable(kind.declare(live.attrs), partly={**unread(kind.attributes), **lost})


def unread(known: Mapping[str, Attribute]) -> dict[str, str]:
    """Return the attributes of which it is unknown what the account holds, with the reason."""
    return {
        name: f"`{name}` is shown by no read, and stays as it is in the account"
        for name, attribute in known.items()
        if attribute.has(WriteOnly)
    }


def _unnamed(known: Mapping[str, Attribute], live: Live, attrs: Mapping[str, Value]) -> str:
    """Tell of what has a default, as a name that is the key: left out, it would be another one than the account's."""
    for name, attribute in known.items():
        default = attribute.mark(Default)
        if default is not None and not is_empty_or_off(default.value) and name in live.attrs and name not in attrs:
            return _why(attribute, None)
    return ""


def _lossy(kind: Kind, live: Live, attrs: dict[str, Value], dropped: dict[str, str], partly: dict[str, str]) -> str:
    """Take out what was not decoded in full; return why the object cannot be declared without it, or ""."""
    known = kind.attributes
    for name, loss in losses(kind, live).items():
        if loss.kept:
            where = f"`{name}` holds" if name else "the account holds"
            partly[name] = f"{where} more than can be declared ({loss.what}), which stays there"
        elif name in known:
            why = f"its `{name}` cannot be declared in full ({loss.what})"
            if known[name].required or known[name].has(Default):
                return why
            dropped[name] = why  # also where what was understood of it is what an export leaves out
            attrs.pop(name, None)
        else:
            return f"it cannot be declared in full ({loss.what})"
    return ""


def _standing(leaf: Value) -> Value:
    """Any reference will do: what it refers to is not asked here."""
    return Ref("", "x") if isinstance(leaf, RemoteId) else leaf


def _why(attribute: Attribute, value: Value) -> str:
    if values.is_empty(value):
        return f"it has no `{attribute.name}`"
    shown = (
        "a value" if attribute.hides(value) or not isinstance(value, str | int) else f"`{abridged(str(value), SHOWN)}`"
    )
    return f"its `{attribute.name}` is {shown}, which cannot be declared"
