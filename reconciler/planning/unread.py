"""What a plan says of attributes that the account did not tell, though it listed the objects: those that were
declared or applied are compared with what was last applied, and a change of them in the account does not show. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.model.live import Live
from reconciler.planning.context import Inputs


def untold(inputs: Inputs, lives: Mapping[str, Live], going: Collection[str] = ()) -> list[str]:
    """Return one line for each kind and attribute that could not be read and that matters to these objects (address ->
    live object). Of those that are `going` it matters what an undo would bring back.
    """
    lines = []
    for kind, attributes in inputs.snapshot.unread.items():
        for name, unread in attributes.items():
            about = {
                address
                for address, live in lives.items()
                if live.kind == kind and live.id in unread.ids and name in _matters(inputs, address, live)
            }
            for verdict, addresses in (
                ("compared with what was last applied, so a change in the account does not show", about - {*going}),
                ("an undo would bring back what was last applied", about & {*going}),
            ):
                if addresses:
                    lines.append(unread.line(kind, name, f"; {verdict}", addresses))
    return lines


def _matters(inputs: Inputs, address: str, live: Live) -> Iterator[str]:
    """Yield the attributes of an object that were declared or applied; a variant by its key."""
    resource, binding = inputs.desired.resources.get(address), inputs.state.resources.get(address)
    ignored = resource.lifecycle.ignore_changes if resource is not None else ()
    declared = resource.attrs if resource is not None else {}
    applied = binding.applied if binding is not None else {}
    yield from (name for name in {*declared, *applied} if name not in ignored)
