"""Suspected renames: an object that goes and one that comes, of one kind, that are most likely one. Pure.

Evidence is what tells one object from another: a natural key that both have, names that mean the same, contents and
children that nothing else has. Boilerplate is not: words of everyday use, what all objects of a company carry, and
whatever other objects of the account hold too. Names that say the opposite, or count on, speak against it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import NamedTuple

from reconciler.model import values
from reconciler.model.address import key_of
from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change
from reconciler.model.spec import Attribute
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
SORTS = {
    word: frozenset(number for number, words in enumerate(CONTRASTS) if word in words)
    for word in frozenset[str]().union(*CONTRASTS)
}
"""The sorts that a word is of, by number."""
NONE = frozenset[int]()


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
    seen = _Seen(list(changes), kinds, ids, lives or {})
    gone = [side for change in seen.changes if (side := seen.goes(change)) is not None]
    new = [side for change in seen.changes if (side := seen.comes(change)) is not None]
    renames: list[Rename] = []
    taken: set[str] = set()
    # Those with the same key first: what is left is compared each with each.
    for pairs in (_same, seen.alike):
        left = ([side for side in sides if side.change.address not in taken] for sides in (gone, new))
        for pair in sorted(pairs(*left), key=lambda pair: (-pair.likeness, pair.source, pair.target)):
            if not {pair.source, pair.target} & taken:
                taken |= {pair.source, pair.target}
                renames.append(pair)
    return renames


class _Side(NamedTuple):
    """One side of a pair: an object to destroy, or a declared one. `place` is its kind and what it is nested in,
    `attrs` what it holds, `telling` what of that says something about what it is, with the weight.
    """

    change: Change
    place: tuple[str, str]
    attrs: Mapping[str, Value]
    keys: Sequence[NaturalKey]
    identity: str = ""
    telling: Sequence[tuple[Attribute, Value, float]] = ()


def _same(gone: Iterable[_Side], new: Iterable[_Side]) -> Iterator[Rename]:
    """Yield the pairs that have a natural key in common."""
    named: dict[object, list[_Side]] = {}
    for old in gone:
        for key in old.keys:
            named.setdefault((old.place, key), []).append(old)
    for side in new:
        for key in side.keys:
            for old in named.get((side.place, key), ()):
                yield Rename(old.change.address, side.change.address, SAME)


class _Seen:
    """What pairs are compared in the light of."""

    def __init__(
        self,
        changes: Sequence[Change],
        kinds: Kinds,
        ids: Mapping[str, str],
        lives: Mapping[str, Sequence[Live]],
    ) -> None:
        self.changes = changes
        self.kinds = kinds
        self.ids = ids
        self.lives = lives
        self._holders: dict[tuple[str, str], dict[object, set[str]]] = {}
        self._inside: dict[str, dict[str, _Nested]] = {}

    def goes(self, change: Change) -> _Side | None:
        """Return an object to destroy; None for anything else."""
        if change.action is not Action.DELETE or change.live is None:
            return None
        return self._side(change, change.live.attrs)._replace(identity=change.live.id)

    def comes(self, change: Change) -> _Side | None:
        """Return a declared object to create; None for anything else."""
        if change.action is not Action.CREATE:
            return None
        kind, desired = self.kinds[change.kind], {n: _resolved(value, self.ids) for n, value in change.desired.items()}
        telling = [
            (attribute, attribute.normal(value), weight)
            for name, value in desired.items()
            if (attribute := kind.attributes.get(name)) is not None
            and name != kind.identity.name_attribute
            and not (attribute.choices or re.match(COMPANY, name) or _flat(value))
            and (weight := _tells(value))
        ]
        return self._side(change, desired)._replace(telling=telling)

    def _side(self, change: Change, attrs: Mapping[str, Value]) -> _Side:
        kind = self.kinds[change.kind]
        return _Side(change, (kind.name, kind.parent_of(change.address)), attrs, kind.natural_keys(attrs))

    def alike(self, gone: Iterable[_Side], new: Iterable[_Side]) -> Iterator[Rename]:
        """Yield the pairs that are alike enough, by what they are called and hold."""
        places: dict[tuple[str, str], list[_Side]] = {}
        for old in gone:
            places.setdefault(old.place, []).append(old)
        for side in new:
            for old in places.get(side.place, ()):
                if (score := self.likeness(old, side)) >= ALIKE:
                    yield Rename(old.change.address, side.change.address, score)

    def likeness(self, old: _Side, new: _Side) -> float:
        """Return how likely an object to destroy and a declared one of other keys are one, between 0 and 1."""
        kind, live, desired = self.kinds[old.change.kind], old.attrs, new.attrs
        if _apart(kind, live, desired):
            return 0.0
        label = kind.identity.name_attribute
        names = named_alike(str(live.get(label) or ""), str(desired.get(label) or ""))
        names = max([names, *(named_alike(*both) for both in _called(kind, live, desired))])
        if not live.get(label) or not desired.get(label):
            addresses = old.change.address, new.change.address
            names = named_alike(*(key_of(address).rpartition(".")[2] for address in addresses))
        if names == OPPOSITE:
            return 0.0
        children, rich = self._held(old, new)
        named = {live.get(label), desired.get(label), None}
        parts = zip(old.keys[0], new.keys[0], strict=False) if old.keys and new.keys else ()
        alone = all(part == other or {part, other} <= named for part, other in parts)  # nothing but the name differs
        return _judged(names, children, rich, alone=alone)

    def _held(self, old: _Side, new: _Side) -> tuple[float, float]:
        """Return which share of what the declaration tells the live object has, and how much that is."""
        hits = total = 0.0
        for attribute, here, weight in new.telling:
            # What another object has as well (a default, the company's name) tells nothing of a rename.
            if not self._holding(old.change.kind, attribute).get(_frozen(here), frozenset()) - {old.identity}:
                hits += weight * _overlap(here, attribute.normal(old.attrs.get(attribute.name)))
                total += weight
        hit, weight = self._children(old, new)
        return ((hits + hit) / (total + weight) if total + weight else 0.0), total + weight

    def _holding(self, kind: str, attribute: Attribute) -> Mapping[object, Set[str]]:
        """Return the ids of the objects of a kind by what they hold in an attribute."""
        known = self._holders.get((kind, attribute.name))
        if known is None:
            known = self._holders[kind, attribute.name] = {}
            for live in self.lives.get(kind, ()):
                if not live.builtin:
                    value = _frozen(attribute.normal(live.attrs.get(attribute.name)))
                    known.setdefault(value, set()).add(live.id)
        return known

    def _children(self, old: _Side, new: _Side) -> tuple[float, float]:
        """Compare what is nested in both, without what is called as in other parents."""
        hits = total = 0.0
        for child, parents in self._nested(old.change.kind).items():
            mine: Set[str] = parents.names.get(old.identity, frozenset())
            theirs = self._created[child].get(new.change.address, frozenset())
            telling = {
                name
                for name in mine | theirs
                if not _generic(name) and not parents.holding.get(name, frozenset()) - {old.identity}
            }
            if telling:
                weight = min(len(telling), 4)
                total += weight
                hits += weight * len(telling & mine & theirs) / max(len(telling & mine), 1)
        return hits, total

    def _nested(self, kind: str) -> Mapping[str, _Nested]:
        """Return what is nested in the objects of a kind, by the kind of that."""
        known = self._inside.get(kind)
        if known is None:
            known = self._inside[kind] = {}
            for child in self.kinds.values():
                nesting = self.kinds[kind].nesting(child.name) if child.nested == kind else None
                if nesting is None:
                    continue
                nested, label = known.setdefault(child.name, _Nested({}, {})), child.identity.name_attribute
                for live in self.lives.get(child.name, ()):
                    owner = live.attrs.get(nesting.parent)
                    parent, name = owner.id if isinstance(owner, RemoteId) else "", _plain(live.attrs.get(label))
                    nested.names.setdefault(parent, set()).add(name)
                    nested.holding.setdefault(name, set()).add(parent)
        return known

    @cached_property
    def _created(self) -> Mapping[str, Mapping[str, Set[str]]]:
        """The names of what is created, by its kind and by what it is nested in."""
        created: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
        for change in self.changes:
            kind = self.kinds[change.kind]
            if change.action is Action.CREATE and kind.nested:
                name = _plain(change.desired.get(kind.identity.name_attribute))
                created[kind.name].setdefault(kind.parent_of(change.address), set()).add(name)
        return created


class _Nested(NamedTuple):
    """What is called how in which parent: names by the id of the parent, and the other way round."""

    names: dict[str, set[str]]
    holding: dict[str, set[str]]


def _frozen(value: Value) -> object:
    """Return what is equal for equal values and can be looked up."""
    if isinstance(value, dict):
        return frozenset((name, _frozen(item)) for name, item in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


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
        ratio = _likeness(mine, theirs)
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
    if set(filter(str.isdigit, left)) != set(filter(str.isdigit, right)) or _turned(left, right):
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
    return (word.endswith(twin) and word[: -len(twin)] in PREFIXES) or not SORTS.get(word, NONE).isdisjoint(
        SORTS.get(twin, NONE)
    )


def _one_word(word: str, twin: str) -> bool:
    """Return whether two words are one: inflected, spelt otherwise, or one made of the other (`birth`, `birthday`)."""
    if word == twin:
        return True
    short, long = sorted((word, twin), key=len)
    made = long.endswith(short) and len(short) >= 5 and len(short) / len(long) > 0.5
    longer = long.startswith(short) and (
        long[len(short) :] in ("s", "es", "d", "ed", "ing") or (len(short) >= 5 and len(short) / len(long) >= 0.6)
    )
    alike = made or longer or (len(short) >= 5 and word[0] == twin[0] and _likeness(word, twin) >= 0.83)
    return alike and not (_acts(word, twin) or _acts(twin, word))


def _likeness(mine: str, theirs: str) -> float:
    from difflib import SequenceMatcher  # few plans have anything to compare

    return SequenceMatcher(None, mine, theirs).ratio()


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
