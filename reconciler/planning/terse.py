"""What the account spells out and the files leave out, taken out of what is shown of it: it would look as if it were
removed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.model.live import STRANGE
from reconciler.model.spec import Attribute
from reconciler.model.values import SCALARS, Value

MOST = 300
"""Members that are tried one by one: of more, the value is shown as it is."""


def terse(live: Value, declared: Value, attribute: Attribute) -> Value:
    """Return a value of the account without the members of its entries that mean nothing (an attribute compares equal
    without them), but those that the declaration says as well.
    """
    if not isinstance(live, list) or not isinstance(declared, list):
        return live
    members = {(name, repr(value)) for _, name, value in _members(declared)}
    spelled = [(path, name) for path, name, value in _members(live) if (name, repr(value)) not in members]
    if not spelled or len(spelled) > MOST:
        return live
    try:
        whole = attribute.normal(live)
        for path, name in spelled:
            shorter = _without(live, path, name)
            live = shorter if attribute.normal(shorter) == whole else live
    except STRANGE:
        pass
    return live


Path = tuple[int | str, ...]


def _members(value: Value, path: Path = ()) -> Iterator[tuple[Path, str, Value]]:
    """Yield the scalar members of all maps inside: where the map is, the member's name, its value."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _members(item, (*path, place))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if item.__class__ in SCALARS:
                yield path, name, item
            else:
                yield from _members(item, (*path, name))


def _without(value: Value, path: Path, name: str) -> Value:
    """Return a value in which the map at a path lacks a member."""
    if not path:
        return {key: item for key, item in value.items() if key != name} if isinstance(value, Mapping) else value
    if isinstance(value, list):
        return [_without(item, path[1:], name) if place == path[0] else item for place, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _without(item, path[1:], name) if key == path[0] else item for key, item in value.items()}
    return value
