"""The blocks `moved`, `removed` and `imports` against the state: what they do, and which of them do nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from reconciler.model.address import join, key_of, kind_of
from reconciler.model.desired import Desired, Moved
from reconciler.model.kind import Kinds, Live
from reconciler.model.plan import Action, Change
from reconciler.model.state import Binding


def after_moves(
    bindings: Mapping[str, Binding], desired: Desired, kinds: Kinds
) -> tuple[dict[str, Binding], dict[str, str], list[str]]:
    """Return the bindings under their addresses of today, new address -> old address for those that moved, and what
    is wrong with the blocks.

    What is nested in a moved object moves along. A block stays harmless after it has done its work: its source is
    gone then and its target known.
    """
    found, moved, problems = dict(bindings), {}, []
    for block in (*desired.moved, *_nested(desired, bindings, kinds)):
        if block.source in found and block.target in found:
            problems.append(
                f"{_at(block)}moved: both {block.source} (id {found[block.source].id}) and {block.target} "
                f"(id {found[block.target].id}) are managed; `reconciler state rm` the one that is not meant"
            )
        elif block.source in found:
            found[block.target] = found.pop(block.source)
            moved[block.target] = block.source
        elif block.target not in found and found:
            problems.append(
                f"{_at(block)}moved: neither {block.source} nor {block.target} is in the state"
                f"{_near(block.source, found)}; correct the block or take it out"
            )
    return dict(sorted(found.items())), moved, problems


def _nested(desired: Desired, bindings: Mapping[str, Binding], kinds: Kinds) -> list[Moved]:
    """Return the moves of what is nested in moved objects and has no block of its own."""
    said = {block.source for block in desired.moved} | {block.target for block in desired.moved}
    found = []
    for block in desired.moved:
        for child in (kind.name for kind in kinds.values() if kind.nested == kind_of(block.source)):
            prefix = join(child, f"{key_of(block.source)}.")
            for address in bindings:
                target = join(child, f"{key_of(block.target)}.{address.removeprefix(prefix)}")
                if address.startswith(prefix) and not {address, target} & said and target not in bindings:
                    found.append(Moved(address, target, block.at))
    return found


def unused_blocks(
    desired: Desired, matched: Mapping[str, Live], bindings: Mapping[str, Binding], changes: Iterable[Change]
) -> list[str]:
    """Return what is wrong with `imports` of objects that are bound otherwise, and with `removed` blocks whose
    address nobody knows while something of that kind is about to be deleted: most likely the one that was meant.
    """
    problems = [
        f"imports: {block.target} is bound to id {matched[block.target].id} already, not to {block.id}; take the block "
        f"out, or `reconciler state rm {block.target}` first"
        for block in desired.imports
        if block.target in matched and matched[block.target].id != block.id
    ]
    doomed = [change.address for change in changes if change.action is Action.DELETE]
    for removed in desired.removed:
        kin = [address for address in doomed if kind_of(address) == kind_of(removed.address)]
        if removed.address not in bindings and kin:
            problems.append(
                f"{removed.at or ''}{': ' if removed.at else ''}removed: {removed.address} is not in the state, and "
                f"{', '.join(sorted(kin))} would be destroyed{_near(removed.address, kin)}"
            )
    return problems


def _at(block: Moved) -> str:
    return f"{block.at}: " if block.at else ""


def _near(address: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(address, list(known), 1, 0.7)
    return f" (did you mean {close[0]}?)" if close else ""
