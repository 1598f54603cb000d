"""Suspected renames: an object that goes and one that comes, of one kind, that are most likely one. Pure.

Evidence is what tells one object from another: a natural key that both have, names that mean the same, contents and
children that nothing else has. Boilerplate is not: words of everyday use, what all objects of a company carry, and
whatever other objects of the account hold too. Names that say the opposite, or count on, speak against it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from reconciler.model import values
from reconciler.model.address import key_of
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change
from reconciler.model.values import Ref, RemoteId, Value, items_of

ALIKE = 0.7
"""From this likeness on a pair is held back; see the corpus in tests/trust for what it finds and what it misses."""
SAME, MEANS_THE_SAME, MORE_WORDS, BESIDE, OPPOSITE = 1.0, 0.9, 0.5, 0.2, -1.0
"""What two names are to each other: equal, the same in other words, one a part of the other, different, and opposite
(`Active` and `Inactive`) or counted on (`Event 2023` and `Event 2024`).
"""
RICH = 8
"""A text of this length says something about what an object is, one of twice the length much."""
COMPANY = "^(sender_|from_|reply_to|logo_url|link_url)"
"""Attributes that all objects of one company share."""
BOILERPLATE = frozenset(
    """low medium high yes no maybe true false none other others unknown new open opened closed won lost pending done
    todo progress active inactive small large big first second third north south east west name title status type date
    number email phone description notes note comment comments qualified contacted proposal negotiation lead leads
    contact prospect s m l xl xs monday tuesday wednesday thursday friday saturday sunday january february march april
    may june july august september october november december a b c d e to do in not the start end good bad average poor
    male female diverse mr mrs ms mild moderate severe critical urgent normal
    daily weekly monthly yearly never always sometimes""".split()
)
"""Words of options, stages and fields that say nothing about whose they are."""
FILLERS = frozenset(
    """the a an of our my your all and for in on to with by from is are customer customers contact contacts number num
    url link value date field list tag group pipeline webhook hook sync call info information data item entry name code
    deal deals gmbh ag se kg inc ltd llc corp co bv sa""".split()
)
"""Words that a name has or lacks without meaning something else."""
LITTLE = frozenset("the a an of our my your all and for in on to with by from is are".split())
TURNS = frozenset(
    """lost former ex old past previous not non no never without inactive expired cancelled canceled closed archived
    churned lapsed dead stopped blocked deleted rejected declined failed missing possible potential future next last
    first new test draft copy backup only except other past won open pending completed done paused hot cold warm
    current prospective""".split()
)
"""Words that make another thing of what they stand with."""
CONTRASTS = tuple(
    frozenset(words.split())
    for words in (
        "home work office private business mobile",
        "billing shipping delivery invoice",
        "primary secondary main alternative backup",
        "first second third fourth last",
        "start end begin finish",
        "min max minimum maximum lowest highest",
        "buyer seller vendor supplier partner",
        "inbound outbound incoming outgoing",
        "sales support marketing service finance legal",
        "en de fr es it nl pl pt uk us ch at eu",
        "english german french spanish italian dutch",
        "winter spring summer autumn fall",
        "north south east west central",
        "small medium large xs s m l xl",
        "low medium high",
        "free basic pro premium enterprise",
        "bronze silver gold platinum",
        "accept decline approve reject yes no",
        "opened clicked read sent bounced",
        "staging production test sandbox live",
        "male female mother father parent child",
        "january february march april may june july august september october november december",
        "monday tuesday wednesday thursday friday saturday sunday",
    )
)
"""Words of which each stands for another one of several things of a sort."""


_ACTS = "(?P<stem>.{4,}?)(?P<end>er|ee|or|ship)s?"
PREFIXES = ("un", "in", "non", "dis", "im", "de", "re", "pre", "post", "ex", "anti")


class Rename(NamedTuple):
    """A delete and a create that are most likely one object. `likeness` is between 0 and 1."""

    source: str
    target: str
    likeness: float


def suspected(
    changes: Iterable[Change],
    kinds: Kinds,
    ids: Mapping[str, str],
    lives: Mapping[str, Sequence[Live]] | None = None,
) -> list[Rename]:
    """Return pairs of a delete and a create that look alike, each object in one pair at most, most alike first.

    Parents are judged before what is nested in them, by their children too, and take them along: children are compared
    only where their parent stays. `lives` is what the account holds, to tell what many have.
    """
    changes = list(changes)
    gone = [change for change in changes if change.action is Action.DELETE and change.live is not None]
    new = [change for change in changes if change.action is Action.CREATE]
    seen = _Seen(changes, kinds, ids, lives or {})
    pairs = [
        Rename(old.address, change.address, score)
        for change in new
        for old in gone
        if old.kind == change.kind
        and kinds[old.kind].parent_of(old.address) == kinds[change.kind].parent_of(change.address)
        and (score := seen.likeness(old, change)) >= ALIKE
    ]
    renames: list[Rename] = []
    taken: set[str] = set()
    for pair in sorted(pairs, key=lambda pair: (-pair.likeness, pair.source, pair.target)):
        if not {pair.source, pair.target} & taken:
            taken |= {pair.source, pair.target}
            renames.append(pair)
    return renames


class _Seen(NamedTuple):
    """What pairs are compared in the light of."""

    changes: Sequence[Change]
    kinds: Kinds
    ids: Mapping[str, str]
    lives: Mapping[str, Sequence[Live]]

    def likeness(self, old: Change, new: Change) -> float:
        """Return how likely an object to destroy and a declared one are one, between 0 and 1."""
        kind = self.kinds[old.kind]
        if old.live is None:
            return 0.0
        live, desired = old.live.attrs, {name: _resolved(value, self.ids) for name, value in new.desired.items()}
        mine, theirs = kind.natural_keys(live), kind.natural_keys(desired)
        if set(mine) & set(theirs):
            return SAME
        if _apart(kind, live, desired):
            return 0.0
        names = named_alike(
            str(live.get(kind.identity.name_attribute) or ""), str(desired.get(kind.identity.name_attribute) or "")
        )
        names = max([names, *(named_alike(*both) for both in _called(kind, live, desired))])
        if not live.get(kind.identity.name_attribute) or not desired.get(kind.identity.name_attribute):
            names = named_alike(key_of(old.address).rpartition(".")[2], key_of(new.address).rpartition(".")[2])
        children, rich = self._held(old, new, desired)
        named = {live.get(kind.identity.name_attribute), desired.get(kind.identity.name_attribute), None}
        parts = zip(mine[0], theirs[0], strict=False) if mine and theirs else ()
        alone = all(part == other or {part, other} <= named for part, other in parts)  # nothing but the name differs
        return _judged(names, children, rich, alone=alone)

    def _held(self, old: Change, new: Change, desired: Mapping[str, Value]) -> tuple[float, float]:
        """Return which share of what the declaration tells the live object has, and how much that is."""
        kind, live = self.kinds[old.kind], old.live
        if live is None:
            return 0.0, 0.0
        others = [other for other in self.lives.get(old.kind, ()) if other.id != live.id and not other.builtin]
        hits = total = 0.0
        for name, value in desired.items():
            attribute = kind.attributes.get(name)
            if (
                attribute is None
                or name == kind.identity.name_attribute
                or attribute.choices
                or re.match(COMPANY, name)
                or _flat(value)
            ):
                continue
            here, there = attribute.normal(value), attribute.normal(live.attrs.get(name))
            weight = _tells(value)
            # What another object has as well (a default, the company's name) tells nothing of a rename.
            if weight and not any(attribute.normal(other.attrs.get(name)) == here for other in others):
                hits += weight * _overlap(here, there)
                total += weight
        hit, weight = self._children(old, new)
        return ((hits + hit) / (total + weight) if total + weight else 0.0), total + weight

    def _children(self, old: Change, new: Change) -> tuple[float, float]:
        """Compare what is nested in both, without what is called as in other parents."""
        hits = total = 0.0
        for child in self.kinds.values():
            nesting = self.kinds[old.kind].nesting(child.name) if child.nested == old.kind else None
            if nesting is None or old.live is None:
                continue
            owner, label = RemoteId(old.kind, old.live.id), child.identity.name_attribute
            mine, common = set[str](), set[str]()
            for live in self.lives.get(child.name, ()):
                names = mine if live.attrs.get(nesting.parent) == owner else common
                names.add(_plain(live.attrs.get(label)))
            theirs = {_plain(change.desired.get(label)) for change in self._created_in(new, child)}
            telling = {name for name in mine | theirs if not _generic(name)} - common
            if telling:
                weight = min(len(telling), 4)
                total += weight
                hits += weight * len(telling & mine & theirs) / max(len(telling & mine), 1)
        return hits, total

    def _created_in(self, parent: Change, child: Kind) -> Iterator[Change]:
        """Yield the creates of a kind that are nested in a declared object."""
        for change in self.changes:
            created = change.action is Action.CREATE and change.kind == child.name
            if created and child.parent_of(change.address) == parent.address:
                yield change


def _called(kind: Kind, live: Mapping[str, Value], desired: Mapping[str, Value]) -> Iterable[tuple[str, str]]:
    """Yield what both are called in maps of texts, such as labels."""
    for name, value in desired.items():
        other = live.get(name)
        if name in kind.attributes and isinstance(value, dict) and isinstance(other, dict) and _flat(value):
            yield from ((str(other.get(key) or ""), str(text)) for key, text in value.items())


def _flat(value: Value) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(item, str) for item in value.values())


def _apart(kind: Kind, live: Mapping[str, Value], desired: Mapping[str, Value]) -> bool:
    """Return whether both are of different sorts: a part of their natural key that is one of a few words differs."""
    return any(
        attribute.choices
        and attribute.name in ("object", "channel")
        and live.get(attribute.name) not in (None, desired.get(attribute.name))
        and desired.get(attribute.name) is not None
        for attribute in kind.attributes.values()
    )


def _judged(names: float, children: float, rich: float, *, alone: bool) -> float:
    """Weigh names against contents: two things that hold what nothing else does are one thing under another name."""
    if names == OPPOSITE:
        return 0.0
    if names >= MEANS_THE_SAME:
        return names if alone or rich == 0 or children >= 0.5 else 0.4
    if rich >= 1 and children >= 0.6 and names >= MORE_WORDS:
        return 0.85
    enough = 3.0 if names == BESIDE else 2.0
    return 0.5 + 0.4 * children if rich >= enough and children >= 0.75 else max(names, 0.0)


def _tells(value: Value) -> float:
    """Return how much a value says about what an object is."""
    if isinstance(value, str):
        length = 0 if _generic(value) else len(value)
        if length < RICH:
            return 0.0 if length < 3 else 0.5
        return 1.0 if length < 2 * RICH else 3.0 if len(value.split()) >= 3 else 2.0
    if isinstance(value, list | dict):
        parts = {_plain(part) for part in _said(value)}
        telling = sum(not _generic(word) for word in parts)
        few = isinstance(value, list) and 0 < telling < 3
        return 1.0 if few else float(min(telling, 3))
    return 0.0


def _said(value: Value) -> list[Value]:
    """Return the names in an attribute of several parts: the keys of a map, the items of a list."""
    if isinstance(value, dict):
        return list(value)
    return [item.get("value") or str(item) if isinstance(item, dict) else item for item in items_of(value)]


def _overlap(mine: Value, theirs: Value) -> float:
    """Return how much of two values is the same; texts that differ in a letter or two are nearly."""
    if isinstance(mine, list | dict) and isinstance(theirs, list | dict):
        left, right = (Counter(_plain(part) for part in _said(side)) for side in (mine, theirs))
        return (left & right).total() / max((left | right).total(), 1)
    if isinstance(mine, str) and isinstance(theirs, str) and mine != theirs:
        ratio = SequenceMatcher(None, mine, theirs).ratio()
        return ratio if ratio >= 0.9 else 0.0
    return 1.0 if mine == theirs else 0.0


def _plain(value: Value) -> str:
    return " ".join(_words(str(value)))


def _generic(text: object) -> bool:
    words = _words(str(text))
    return all(word in BOILERPLATE or word.isdigit() for word in words)


def _resolved(value: Value, ids: Mapping[str, str]) -> Value:
    def leaf(ref: Value) -> Value:
        return RemoteId(ref.kind, ids[ref.address]) if isinstance(ref, Ref) and ref.address in ids else ref

    return values.transform(value, leaf)


# --- names -----------------------------------------------------------------------------------------------------------


def named_alike(name: str, other: str) -> float:
    """Return what two names are to each other, from OPPOSITE to SAME."""
    left, right = _words(name), _words(other)
    if not left or not right:
        return 0.0
    if "".join(left) == "".join(right):
        return SAME
    if sorted(left) == sorted(right):
        return MEANS_THE_SAME
    if _turned(left, right) or set(filter(str.isdigit, left)) != set(filter(str.isdigit, right)):
        return OPPOSITE
    return _by_words(left, right, name, other)


def _by_words(left: list[str], right: list[str], name: str, other: str) -> float:
    """Return what two names are to each other by the words that one of them has and the other has not."""
    mine, theirs = _core(left, name), _core(right, other)
    matched = [(word, twin) for word in mine for twin in theirs if _one_word(word, twin)]
    if not matched:
        return 0.0
    rest = _without(mine, {word for word, _ in matched})
    other_rest = _without(theirs, {twin for _, twin in matched})
    short = len(rest) == len(other_rest) == 1 and _short_for(rest[0], other_rest[0])
    if short or not (rest or other_rest):
        return MEANS_THE_SAME
    return BESIDE if rest and other_rest else MORE_WORDS


def _without(words: list[str], known: set[str]) -> list[str]:
    return [word for word in words if word not in known]


def _core(words: list[str], text: str) -> list[str]:
    """Return the words that carry a name, without fillers and what only stands in brackets."""
    aside = _words(" ".join(re.findall(r"\(([^)]*)\)", text)))
    kept = [word for word in words if word not in FILLERS and word not in aside]
    kept = kept[:-1] if len(kept) > 1 and kept[-1] == "no" else kept
    return kept or [word for word in words if word not in LITTLE] or words


def _turned(left: list[str], right: list[str]) -> bool:
    """Return whether one name has a word that turns the meaning, or the other's word with `un-` or the like."""
    mine, theirs = set(left) - set(right), set(right) - set(left)
    pairs = [pair for word in mine for twin in theirs for pair in ((word, twin), (twin, word))]
    if any(_contrary(word, twin) for word, twin in pairs):
        return True
    apart = (mine | theirs) - {word for word, twin in pairs if _one_word(word, twin)}
    apart -= {words[-1] for words in (left, right) if words[-1] == "no"}  # short for number
    return bool(apart & TURNS and set(left) & set(right))


def _contrary(word: str, twin: str) -> bool:
    """Return whether a word is another one with `un-` or the like, or its contrast."""
    return any(word == f"{prefix}{twin}" for prefix in PREFIXES) or any({word, twin} <= set(pair) for pair in CONTRASTS)


def _one_word(word: str, twin: str) -> bool:
    """Return whether two words are one: inflected, spelt otherwise, or one made of the other (`birth`, `birthday`)."""
    if word == twin:
        return True
    short, long = sorted((word, twin), key=len)
    if _acts(word, twin) or _acts(twin, word):
        return False
    if long.endswith(short) and len(short) >= 5 and len(short) / len(long) > 0.5:
        return True
    if long.startswith(short) and (
        long[len(short) :] in ("s", "es", "d", "ed", "ing") or (len(short) >= 5 and len(short) / len(long) >= 0.6)
    ):
        return True
    return len(short) >= 5 and word[0] == twin[0] and SequenceMatcher(None, word, twin).ratio() >= 0.83


def _acts(word: str, twin: str) -> bool:
    """Return whether a word is who does what the other says, or whom it is done to: `contractor`, `employee`."""
    act, other = re.fullmatch(_ACTS, word), re.fullmatch(_ACTS, twin)
    if act is None:
        return False
    return act["stem"] == twin or (other is not None and act["stem"] == other["stem"] and act["end"] != other["end"])


def _short_for(word: str, twin: str) -> bool:
    short, long = sorted((word, twin), key=len)
    return 2 <= len(short) <= 4 and len(long) > len(short) + 1 and long.startswith(short)


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).casefold())
    return ["mail" if word == "email" else word for word in words]
