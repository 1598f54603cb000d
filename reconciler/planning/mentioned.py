"""What a plan mentions besides what it changes, under the names that people know: by address, or by kind and id where
nothing is declared. Only what was read, or is in the state, has a name. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from reconciler.model import document as doc
from reconciler.model.called import called
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import STRANGE, Live, Tables
from reconciler.model.state import Binding
from reconciler.model.values import SCALARS, RemoteId


def mentioned(
    document: doc.PlanDocument,
    lives: Mapping[str, Sequence[Live]],
    tables: Tables,
    bindings: Mapping[str, Binding],
    kinds: Kinds,
    show: Callable[[str], str],
) -> dict[str, str]:
    """Return the names of what the changes of a plan refer to, from the objects that were read and from the `tables`
    that were read beside them. `show` takes credentials out of them; people have none
    here.
    """
    changed = {change.address for change in document.changes}
    mentions = {key for change in document.changes for key in _mentions(change)} - changed
    ids = {address: RemoteId(binding.kind, binding.id) for address, binding in bindings.items() if address in mentions}
    wanted = {*(key.partition(" ")[0] for key in mentions), *(target.kind for target in ids.values())}
    read = _names(wanted & kinds.keys(), kinds, lives, tables)
    names = {key: name for target, name in read.items() if (key := str(target)) in mentions}
    names |= {address: read.get(target) or called(bindings[address].applied) for address, target in ids.items()}
    return {key: show(name) for key, name in sorted(names.items()) if name}


def _names(wanted: Set[str], kinds: Kinds, lives: Mapping[str, Sequence[Live]], tables: Tables) -> dict[RemoteId, str]:
    return {
        RemoteId(name, live.id): called(live.attrs) for name in wanted for live in _read(kinds[name], lives, tables)
    }


def _read(kind: Kind, lives: Mapping[str, Sequence[Live]], tables: Tables) -> Sequence[Live]:
    """Return the objects of a kind as far as they were read, none of one whose objects may be people."""
    if kind.reading.mostly_unmanaged:
        return ()
    if kind.name in lives or kind.reading.collections[0].name not in tables.rows:
        return lives.get(kind.name, ())
    try:
        return kind.lives(tables)
    except STRANGE:
        return ()


def _mentions(change: doc.ChangeView) -> Iterator[str]:
    for view in change.attributes:
        for side in (view.before, view.after):
            yield from _leaves(side)
    for value in change.found.values():
        yield from _leaves(value)
    for impact in change.impacts:
        yield from impact.objects
    yield from change.on_destroy.values()
    yield from filter(None, (change.parent,))


def _leaves(value: object) -> Iterator[str]:
    """Yield what an encoded value refers to."""
    if value.__class__ in SCALARS:
        return
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        if "$ref" in value:
            yield str(value["$ref"])
        elif "$id" in value:
            yield str(RemoteId(str(value.get("kind")), str(value["$id"])))
        else:
            for item in value.values():
                yield from _leaves(item)
