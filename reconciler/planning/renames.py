"""Suspected renames: an object that goes and one that comes, of one kind, that look alike. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from reconciler.model.address import key_of
from reconciler.model.kind import Kind, Kinds
from reconciler.model.plan import Action, Change
from reconciler.model.values import Ref, RemoteId, Value

ALIKE = 0.7
"""From this likeness on a pair is held back; see the corpus in tests/trust for what it finds and what it misses."""
RICH = 8
"""A text of this length says something about what an object is, one of twice the length much."""


@dataclass(frozen=True, slots=True)
class Rename:
    """A delete and a create that are most likely one object. `likeness` is between 0 and 1."""

    source: str
    target: str
    likeness: float


def suspected(changes: Iterable[Change], kinds: Kinds, ids: Mapping[str, str]) -> list[Rename]:
    """Return pairs of a delete and a create that look alike, each object in one pair at most, most alike first.

    What is nested in a pair is not listed: it moves along with its parent.
    """
    changes = list(changes)
    gone = [change for change in changes if change.action is Action.DELETE and change.live is not None]
    new = [change for change in changes if change.action is Action.CREATE]
    pairs = [
        Rename(old.address, one.address, score)
        for one in new
        for old in gone
        if old.kind == one.kind and (score := likeness(old, one, kinds[old.kind], ids)) >= ALIKE
    ]
    found: list[Rename] = []
    taken: set[str] = set()
    for pair in sorted(pairs, key=lambda pair: (-pair.likeness, pair.source, pair.target)):
        if not {pair.source, pair.target} & taken:
            taken |= {pair.source, pair.target}
            found.append(pair)
    whole = {(pair.source, pair.target) for pair in found}
    return [pair for pair in found if (_parent(pair.source, kinds), _parent(pair.target, kinds)) not in whole]


def _parent(address: str, kinds: Kinds) -> str:
    kind, _, key = address.partition(".")
    return f"{kinds[kind].nested}.{key.rpartition('.')[0]}" if kinds[kind].nested else ""


def likeness(old: Change, new: Change, kind: Kind, ids: Mapping[str, str]) -> float:
    """Return how alike a doomed object and a declared one are: names or keys first, then what they hold."""
    if old.live is None:
        return 0.0
    live = old.live.attrs
    names = named_alike(str(live.get(kind.label) or ""), str(new.desired.get(kind.label) or ""))
    keys = named_alike(_last(old.address), _last(new.address))
    held, rich = _held(live, new.desired, kind, ids)
    best = max(names, keys * 0.95)
    if rich == 0:
        return best
    # Two things that hold the same are one thing under another name; two that hold other things are two things.
    return max(best * 0.6 + held * 0.4, 0.9 * held if rich >= 2 else 0.0)


def _last(address: str) -> str:
    return key_of(address).rpartition(".")[2]


def _held(
    live: Mapping[str, Value], desired: Mapping[str, Value], kind: Kind, ids: Mapping[str, str]
) -> tuple[float, int]:
    """Return which share of what the declaration tells the live object has, and how much that is."""
    hits = 0.0
    total = 0
    for name, value in desired.items():
        attribute = kind.attributes.get(name)
        weight = _tells(value) if name != kind.label else 0
        if attribute is not None and weight:
            hits += weight * _overlap(attribute.normal(_resolved(value, ids)), attribute.normal(live.get(name)))
            total += weight
    return (hits / total if total else 0.0), total


def _tells(value: Value) -> int:
    """Return how much a value says about what an object is: nothing (0), something (1), much (2)."""
    if isinstance(value, str):
        return (len(value) >= RICH) + (len(value) >= 2 * RICH)
    return (len(value) > 1) + (len(value) > 2) if isinstance(value, list | dict) else 0


def _overlap(mine: Value, theirs: Value) -> float:
    if isinstance(mine, list) and isinstance(theirs, list):
        left, right = [str(one) for one in mine], [str(one) for one in theirs]
        both = len(set(left) & set(right))
        return both / max(len(set(left) | set(right)), 1)
    return 1.0 if mine == theirs else 0.0


def _resolved(value: Value, ids: Mapping[str, str]) -> Value:
    if isinstance(value, list):
        return [_resolved(one, ids) for one in value]
    if isinstance(value, Ref) and value.address in ids:
        return RemoteId(value.kind, ids[value.address])
    return value


def named_alike(one: str, other: str) -> float:
    """Return how alike two names are, between 0 and 1.

    Words that both have count for little where each has a word of its own: `Newsletter EN` and `Newsletter DE` are two
    things, `Lead` and `Leads` are one.
    """
    left, right = _words(one), _words(other)
    if not left or not right:
        return 0.0
    if left == right:
        return 1.0
    shared = set(left) & set(right)
    mine, theirs = [word for word in left if word not in shared], [word for word in right if word not in shared]
    if shared and (not mine or not theirs):
        return 0.85 if len(shared) / max(len(left), len(right)) >= 0.5 else 0.7
    rest = SequenceMatcher(None, " ".join(mine), " ".join(theirs)).ratio()
    if not shared or any(word.isdigit() for word in mine + theirs):
        return rest if not shared else rest * 0.6
    return 0.5 * len(shared) / len({*left, *right}) + 0.5 * rest


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).casefold())
