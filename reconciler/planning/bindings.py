"""What the state remembers of an object after a step, and what `moved`, `removed` and `imports` blocks make of that.
Secrets stay `${secret.X}`; sensitive texts become salted hashes. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Moved
from reconciler.model.errors import ConfigError
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.nearest import nearest
from reconciler.model.plan import Action, AttributeChange, Change
from reconciler.model.redaction import BETWEEN, LONG
from reconciler.model.renaming import with_nested
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Once
from reconciler.model.state import Binding, Intent, Record, Renaming, State
from reconciler.model.values import Ref, Value, decode
from reconciler.planning.identity import stored_key


def salted(text: str, salt: str) -> str:
    """Return the hash by which a sensitive value is recognised without being stored."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()


def kept(value: Value, salt: str, *, hidden: bool) -> Value:
    """Return what a document may hold of a value: its JSON, or a salted hash of that where it must not be shown."""
    encoded = values.encode(value)
    return {values.SENSITIVE: salted(json.dumps(encoded, sort_keys=True), salt)} if hidden else encoded


def is_kept(value: Value, stored: Value, salt: str) -> bool:
    """Return whether this value is the one that was stored by `kept`."""
    return bool(kept(value, salt, hidden=values.is_hashed(stored)) == stored)


def binding_of(
    change: Change,
    kind: Kind,
    identity: str,
    run: str,
    *,
    complete: bool,
    spares: list[str],
    secret: Callable[[str], str],
    salt: str,
    own: bool = True,
) -> Binding:
    """Return the binding of a change's object. Until it is complete, what was applied before still stands. So does what
    is not declared, where that is not the environment's `own` configuration: another one releases nothing.
    """
    old = change.binding
    beyond = old if old is not None and not own and old.id == identity else None
    applied, digests = _remembered(change, kind, secret, salt, beyond) if complete else ({}, {})
    if old is not None and not complete:
        applied, digests = dict(old.applied), dict(old.digests)
    prevents, on_destroy = _ending(change, beyond)
    known = list(change.natural_key) or (list(old.natural_key) if old else [])
    return Binding(
        id=identity,
        kind=change.kind,
        natural_key=known,
        created=change.live.created if change.live is not None and change.live.id == identity else "",
        applied=applied,
        rewritten=dict(old.rewritten) if old else {},
        digests=digests,
        depends_on=sorted({*change.depends_on, *referred(applied)}),
        prevent_destroy=prevents,
        on_destroy=on_destroy,
        spares=spares,
        incomplete=not complete,
        run=run,
        moved_from=old.moved_from if old else "",
    )


def _ending(change: Change, beyond: Binding | None) -> tuple[bool, dict[str, str]]:
    """Return whether the object may not be destroyed, and what is done when it is, as declared and `beyond` it."""
    lifecycle = change.resource.lifecycle if change.resource is not None else None
    ends = [end for end in (beyond, lifecycle) if end is not None]
    return any(end.prevent_destroy for end in ends), {
        what: place for end in ends for what, place in end.on_destroy.items()
    }


def referred(applied: Mapping[str, Any]) -> set[str]:
    """Return the addresses that applied values (encoded) refer to."""
    stored = [values.decode(value) for value in applied.values() if value.__class__ not in values.SCALARS]
    return {reference.address for reference in values.references(stored) if isinstance(reference, Ref)}


def _remembered(
    change: Change, kind: Kind, secret: Callable[[str], str], salt: str, beyond: Binding | None
) -> tuple[dict[str, Any], dict[str, str]]:
    applied: dict[str, Any] = {}
    digests: dict[str, str] = {}
    declared: Mapping[str, Value] = change.resource.attrs if change.resource else {}
    for name, value in change.desired.items():
        attribute = kind.attributes.get(name)
        if attribute is not None and attribute.has(Once):
            continue
        if isinstance(value, str) and attribute is not None and attribute.hides(values.reveal(value, secret)):
            digests[name] = salted(values.reveal(value, secret), salt)
            applied[name] = values.encode(value) if values.has_secret(value) else "(sensitive)"
        else:
            applied[name] = values.encode(value)
    old = change.binding
    if old is not None:
        stays = old.applied.keys() if beyond is not None else old.applied.keys() & declared.keys()
        kept = stays - applied.keys()
        applied |= {name: value for name, value in old.applied.items() if name in kept}
        digests |= {name: digest for name, digest in old.digests.items() if name in kept}
    return applied, digests


def recall(binding: Binding, name: str, candidates: tuple[object, ...], salt: str) -> str | None:
    """Return which of the candidate values was last applied, by its salted hash; None for none of them."""
    digest = binding.digests.get(name)
    return next(
        (candidate for candidate in candidates if isinstance(candidate, str) and salted(candidate, salt) == digest),
        None,
    )


def remembered(bindings: Mapping[str, Binding], seen: Snapshot, salt: str) -> dict[str, str]:
    """Return the sensitive texts that the account still holds as they were applied: as declared -> as they are."""
    written: dict[str, str] = {}
    for binding in bindings.values():
        for name in binding.digests:
            declared = values.decode(binding.applied.get(name))
            if not isinstance(declared, str) or not values.has_secret(declared):
                continue
            live = next((live for live in seen.lives.get(binding.kind, ()) if live.id == binding.id), None)
            text = recall(binding, name, (live.attrs.get(name),), salt) if live is not None else None
            if text is not None:
                written[declared] = text
    return written


def revealer(
    secret: Callable[[str], str], bindings: Mapping[str, Binding], seen: Snapshot, salt: str
) -> Callable[[Value], Value]:
    """Return what gives a text with its secrets. Where one is not set, a text that is declared as it was last applied
    means what the account holds, if that is what was applied; otherwise it raises ConfigError.
    """
    known = remembered(bindings, seen, salt)

    def reveal(leaf: Value) -> Value:
        if not isinstance(leaf, str) or values.SECRET_OPEN not in leaf:
            return leaf
        try:
            return values.reveal(leaf, secret)
        except ConfigError:
            if leaf not in known:
                raise
            return known[leaf]

    return reveal


Knows = Callable[[str, int], bool]
"""Returns whether a text holds a credential of at least so many characters."""


def cleared_state(state: State, knows: Knows) -> State:
    """Return a state without credentials in what comes from the account: names, and values stored in its own way."""
    if not _suspicious((*state.resources.values(), *state.intents.values()), knows):
        return state
    return state.model_copy(
        update={
            "resources": {name: _cleared(resource, knows, state.salt) for name, resource in state.resources.items()},
            "intents": {name: _cleared_intent(intent, knows, state.salt) for name, intent in state.intents.items()},
        }
    )


def cleared_records(records: Sequence[Record], knows: Knows, salt: str) -> list[Record]:
    """Return records of the journal without credentials, as `cleared_state`."""
    parts = [part for record in records for part in (record.binding, record.intent) if part is not None]
    return [_cleared_record(record, knows, salt) for record in records] if _suspicious(parts, knows) else list(records)


def _suspicious(parts: Iterable[Binding | Intent], knows: Knows) -> bool:
    """Return whether any may hold a credential: most never do, so that one look at all of their texts is enough."""
    contents = (
        (part.natural_key, part.rewritten) if isinstance(part, Binding) else (part.natural_key,) for part in parts
    )
    texts = [leaf for values_ in contents for item in values_ for leaf in values.walk(item) if isinstance(leaf, str)]
    return bool(texts) and knows(BETWEEN.join(texts), LONG)


def _cleared_record(record: Record, knows: Knows, salt: str) -> Record:
    binding = _cleared(record.binding, knows, salt) if record.binding is not None else None
    intent = _cleared_intent(record.intent, knows, salt) if record.intent is not None else None
    return record.model_copy(update={"binding": binding, "intent": intent})


def _cleared(binding: Binding, knows: Knows, salt: str) -> Binding:
    update: dict[str, Any] = {}
    if _holds(binding.natural_key, knows):
        update["natural_key"] = []
    if binding.rewritten and _holds(binding.rewritten, knows):
        update["rewritten"] = {
            name: {side: kept(values.decode(value), salt, hidden=True) if _holds(value, knows) else value
                   for side, value in sides.items()}
            for name, sides in binding.rewritten.items()
        }  # fmt: skip
    return binding.model_copy(update=update) if update else binding


def _cleared_intent(intent: Intent, knows: Knows, salt: str) -> Intent:
    """Return an intent with salted hashes for parts of its name that are secret: `names` still finds what it made."""
    if not _holds(intent.natural_key, knows):
        return intent
    key = [kept(values.decode(part), salt, hidden=_holds(part, knows)) for part in intent.natural_key]
    return intent.model_copy(update={"natural_key": key})


def _holds(value: Value, knows: Knows) -> bool:
    return any(isinstance(leaf, str) and knows(leaf, LONG) for leaf in values.walk(value))


def rewritten_of(items: Iterable[AttributeChange], kind: Kind, salt: str) -> dict[str, dict[str, Value]]:
    """Return what was sent of these attributes, and what the account made of it, as a binding remembers it."""
    rewritten = {}
    for item in items:
        normal = kind.attributes[item.name].normal
        rewritten[item.name] = {
            "sent": kept(normal(item.after), salt, hidden=item.sensitive),
            "got": kept(normal(item.before), salt, hidden=item.sensitive),
        }
    return rewritten


# --- blocks -----------------------------------------------------------------------------------------------------------


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
    applied last, for of several names an account may show one that is not declared (the tag that it derives of a
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
    address is unknown while something of that kind is about to be deleted: most likely the one that was meant.
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
    close = nearest(address, known, 0.7)
    return f" (did you mean {close}?)" if close else ""
