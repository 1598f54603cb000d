"""The blocks `moved`, `removed` and `imports` against the state: what they do, and which of them do nothing."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Mapping

from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Moved
from reconciler.model.kind import Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change
from reconciler.model.renaming import with_nested
from reconciler.model.state import Binding, Renaming
from reconciler.model.values import decode
from reconciler.planning.identity import stored_key


def after_moves(
    bindings: Mapping[str, Binding], desired: Desired, kinds: Kinds
) -> tuple[dict[str, Binding], dict[str, str], list[str]]:
    """Return the bindings under their addresses of today, new address -> old address for those that moved, and what
    is wrong with the blocks.

    All move at once, so keys may be swapped or handed on; what is nested in a moved object moves along. A block stays
    harmless after it has done its work: its source is gone then and its target known, or what is there now says that it
    came by this block.
    """
    blocks = {block.source: block for block in desired.moved}
    going = {
        source: block.target
        for source, block in blocks.items()
        if source in bindings and not _done(source, bindings[source], blocks, desired, kinds)
    }
    moves, problems = with_nested(going, bindings, kinds), []
    for source, target in list(moves.items()):
        if target in bindings and target not in moves:
            del moves[source]
            if source in going and target not in blocks and bindings[target].moved_from != source:
                problems.append(
                    f"{_at(blocks[source])}moved: both {source} (id {bindings[source].id}) and {target} "
                    f"(id {bindings[target].id}) are managed; `reconciler state rm` the one that is not meant"
                )
    problems += _aimless(desired.moved if bindings else (), {*bindings, *moves.values()}, bindings)
    if not moves:
        return dict(sorted(bindings.items())), {}, problems
    renamed = Renaming(moves).bindings(bindings)
    return dict(sorted(renamed.items())), {target: source for source, target in moves.items()}, problems


def _aimless(blocks: Iterable[Moved], known: Container[str], bindings: Iterable[str]) -> list[str]:
    """Return what is wrong with blocks of which neither side is known."""
    return [
        f"{_at(block)}moved: neither {block.source} nor {block.target} is in the state"
        f"{_near(block.source, bindings)}; correct the block or take it out"
        for block in blocks
        if block.source not in known and block.target not in known
    ]


def _done(source: str, binding: Binding, blocks: Mapping[str, Moved], desired: Desired, kinds: Kinds) -> bool:
    """Return whether what is at the source of a block came there by another one and is meant to stay: it is declared,
    and not under the name that the target has today.
    """
    before = blocks.get(binding.moved_from)
    if before is None or before.target != source or source not in desired.resources:
        return False
    elsewhere = _is_called(binding, blocks[source].target, desired, kinds)
    return not elsewhere or _is_called(binding, source, desired, kinds)


def _is_called(binding: Binding, address: str, desired: Desired, kinds: Kinds) -> bool:
    """Return whether the object has the name that is declared for an address: as the account has it, or as it was
    applied last, for of several names an account may show one that nobody declares (the tag that it derives of a
    title).
    """
    kind, resource = kinds[binding.kind], desired.resources.get(address)
    if resource is None:
        return False
    applied = {name: decode(value) for name, value in binding.applied.items()}
    own = [binding.natural_key, *map(stored_key, kind.natural_keys(applied))]
    return any(stored_key(key) in own for key in kind.natural_keys(resource.attrs))


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
    to_destroy = [change.address for change in changes if change.action is Action.DELETE]
    for removed in desired.removed:
        kin = [address for address in to_destroy if kind_of(address) == kind_of(removed.address)]
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
