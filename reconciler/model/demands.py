"""What the account will refuse, as far as the documentation tells: one place for all kinds, fed by marks of attributes
and by what a kind adds. Asked of what is created or changed only: what equals the account is never refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.model.kind import Finding, Kind
from reconciler.model.spec import Attribute, Default, Expected, Takes, attributes
from reconciler.model.values import Value, has_secret, walk


def demands(
    kind: Kind, attrs: Mapping[str, Value], changed: Collection[str] | None, key: str = ""
) -> Iterator[Finding]:
    """Yield what the account will say against a create (`changed` None) or an update of these attributes.

    `attrs` are the declared attributes, by name; values with secrets that are not filled in are not judged.
    """
    for name, attribute in attributes(kind.spec_of(key) or kind.spec).items():
        value = attrs.get(name)
        if attribute.has(Expected) and _empty(value) and (changed is None or name in changed):
            what = "is documented as required on create and is not declared" if name not in attrs else "cannot be empty"
            yield Finding(f"`{name}` {what}", "error", name, hint=attribute.description)
        elif name in attrs and (changed is None or name in changed) and not _unknown(value):
            why = _refused(attribute, value)
            if why:
                yield Finding(f"`{name}` {why}", "error", name)
    if not any(_unknown(value) for value in attrs.values()):
        yield from kind.demands(attrs, frozenset(attrs) if changed is None else frozenset(changed))


def _refused(attribute: Attribute, value: Value) -> str:
    if attribute.shape == "text" and isinstance(value, str) and not value.strip():
        return "is empty" if attribute.required or attribute.has(Default) else ""
    takes = attribute.mark(Takes)
    why: str = takes.rule(value) if takes is not None and not _empty(value) else ""
    return why


def _empty(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _unknown(value: Value) -> bool:
    return any(isinstance(leaf, str) and (has_secret(leaf) or "${" in leaf) for leaf in walk(value))
