"""Rules over objects, whichever subject they come from: declarative ones and expressions, within a budget. Pure: the
day is passed in.
"""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from reconciler.judging.expressions import Evaluate, ExpressionValue, Question
from reconciler.judging.objects import UNKNOWN, Judged
from reconciler.model.address import key_of
from reconciler.model.diagnostics import Diagnostic, Position
from reconciler.model.document import GuardView
from reconciler.model.garbage import without_collection
from reconciler.model.patterns import SearchBudget, Unbounded
from reconciler.model.project import Deny, Rule, RuleSubject, Waiver, unquoted
from reconciler.model.records import record
from reconciler.model.ruling import Rules, waiver_in, with_waiver
from reconciler.model.values import is_empty

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WAIVER = "change it, or have a waiver with reason and date merged into the project file"
"""What to do about a broken rule."""
UNJUDGED = "it cannot be judged, so it counts as broken: {}"
UNEVALUATED = "its expression cannot be evaluated, so it counts as broken: {}"


@record
class Breach:
    """A rule that something breaks, with the place of that. The address is empty where no object is to blame; `why` is
    then the reason.
    """

    rule: Rule
    address: str = ""
    why: str = ""
    at: Position | None = None
    waiver: Waiver | None = None
    expired: str = ""
    """The day after which it is waived no more."""

    @classmethod
    def by(cls, rule: Rule, judged: Judged, why: str = "") -> Breach:
        """Return the breach of a rule by an object."""
        attribute = rule.deny.attribute if rule.deny is not None else None
        return cls(rule, judged.address, why, judged.places.get(attribute or "", judged.at))

    @property
    def message(self) -> str:
        """What to tell of it."""
        late = f"its waiver expired on {self.expired}" if self.expired else ""
        notes = "; ".join(filter(None, (self.why, late)))
        text = f"{self.rule.message}{f' ({notes})' if notes else ''}"
        return with_waiver(text, self.waiver) if self.waiver is not None else text


@without_collection()
def breaches(
    rules: Rules,
    subject: RuleSubject,
    objects: Sequence[Judged],
    environment: str,
    now: datetime.datetime,
    evaluate: Evaluate,
) -> list[Breach]:
    """Return what breaks the rules about a subject, rule by rule, in the order of the objects."""
    here, by_kind = rules.on(subject, environment), _by_kind(objects)
    budget = SearchBudget()
    everything = [judged for group in by_kind.values() for judged in group]
    chosen = [everything if rule.deny is None else _chosen(rule.deny, by_kind, budget.share()) for rule in here]
    looks: dict[object, _Look] = {}
    sweeps = [
        _Sweep.of(rule.when, matching, looks) if rule.when is not None and not isinstance(matching, str) else None
        for rule, matching in zip(here, chosen, strict=True)
    ]
    # All expressions are asked in one process with one limit of time; the answers come back in the order of the sweeps.
    answers = iter(_swept([sweep for sweep in sweeps if sweep is not None], now, evaluate))
    broken: list[Breach] = []
    for rule, matching, sweep in zip(here, chosen, sweeps, strict=True):
        if isinstance(matching, str):
            broken.append(Breach(rule, why=UNJUDGED.format(matching)))
        elif sweep is None:
            broken += [Breach.by(rule, judged) for judged in matching]
        else:
            broken += _answered(rule, sweep, next(answers))
    return [waived(breach, rules.waivers, now.date()) for breach in broken]


def _by_kind(objects: Iterable[Judged]) -> dict[str, list[Judged]]:
    grouped: dict[str, list[Judged]] = {}
    for judged in objects:
        grouped.setdefault(judged.kind.name, []).append(judged)
    return grouped


def _chosen(deny: Deny, by_kind: Mapping[str, list[Judged]], budget: SearchBudget) -> list[Judged] | str:
    """Return the objects that `deny` is against, or why that cannot be told."""
    try:
        return [
            judged
            for kind, group in by_kind.items()
            if fnmatch.fnmatchcase(kind, deny.kind)
            for judged in group
            if (deny.address == "*" or fnmatch.fnmatchcase(judged.address, deny.address))
            and denied(deny, judged, budget)
        ]
    except Unbounded as error:
        return str(error)


def denied(deny: Deny, judged: Judged, budget: SearchBudget) -> bool:
    """Return whether an object has what `deny` is against, beside kind and address. Raises Unbounded."""
    if deny.unused and judged.used is not False:
        return False
    if deny.attribute is None:
        return True
    value = judged.value(deny.attribute)
    return value is not UNKNOWN and _wrong(deny, value, budget)


def _wrong(deny: Deny, value: Any, budget: SearchBudget) -> bool:
    missing = is_empty(value)
    if deny.empty is not None and missing is deny.empty:
        return True
    if deny.above is not None and _size(value) > deny.above:
        return True
    texts = ("",) if missing else (value,) if value.__class__ is str else tuple(texts_of(value))
    if deny.unless_hosts and not missing and not all(at_host(text, deny.unless_hosts) for text in texts):
        return True
    return _mismatch(deny.matches, deny.unless_matches, texts, budget)


def _mismatch(none_may: str | None, all_must: str | None, texts: Iterable[str], budget: SearchBudget) -> bool:
    """Return whether a text matches what none may, or not what all have to."""
    for text in texts:
        if none_may is not None and budget.matches(none_may, text):
            return True
        if all_must is not None and not budget.matches(all_must, text):
            return True
    return False


def _size(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(len(value)) if isinstance(value, str | list | dict) else 0.0


def texts_of(value: Any) -> Iterator[str]:
    """Yield the texts of a value, of a list or map those of its entries; flags as `true` and `false`."""
    if isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None:
        yield str(value)


def at_host(text: str, hosts: Iterable[str]) -> bool:
    """Return whether a URL points to one of some hosts; what is not a URL points to none, and neither does one whose
    host is cut elsewhere by other readers, as at a backslash or %00.
    """
    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        return False
    plain = re.fullmatch(r"[\w.:-]+", host) is not None
    return plain and any(fnmatch.fnmatchcase(host, pattern.lower()) for pattern in hosts)


_MENTION = re.compile(r"\bobject\b(?:\s*\.\s*(\w+)(?:\s*\.\s*(\w+))?)?")
_ASKED = re.compile(r"\bhas\(\s*object\s*\.\s*attributes\s*\.\s*(\w+)")


@record
class _Look:
    """The objects that an expression judges, and which of them are alike in what it looks at: those are judged once.
    `views` are what it sees of the different ones, `places` says for each object which of these it is.
    """

    objects: tuple[Judged, ...]
    views: tuple[Mapping[str, Any], ...]
    places: tuple[int, ...]

    @classmethod
    def at(cls, objects: Iterable[Judged], asks: _Asks) -> _Look:
        """Return the look at the objects that have the attributes that are asked for, and known ones."""
        chosen: list[Judged] = []
        views: list[Mapping[str, Any]] = []
        places: list[int] = []
        known: dict[object, int] = {}
        alone, names = asks.alone, asks.names
        for judged in objects:
            values = [judged.value(name) for name in names]
            if UNKNOWN in values and any(map(asks.lacks, names, values)):
                continue
            key = judged.address if alone else _key(judged, values)
            place = known.get(key)
            if place is None:
                place = known[key] = len(views)
                views.append(asks.view(judged, values))
            chosen.append(judged)
            places.append(place)
        return cls(tuple(chosen), tuple(views), tuple(places))


@record
class _Sweep:
    """An expression and what it looks at."""

    expression: str
    look: _Look

    @classmethod
    def of(cls, expression: str, objects: list[Judged], looks: dict[object, _Look]) -> _Sweep:
        """Return the sweep of an expression over objects; `looks` are those of expressions that ask for the same."""
        asks = _Asks.of(expression)
        same = (id(objects), asks)
        if same not in looks:
            looks[same] = _Look.at(objects, asks)
        return cls(expression, looks[same])


def _key(judged: Judged, values: list[Any]) -> object:
    """Return what is the same for objects that are alike in these values."""
    for value in values:
        if value.__class__ is not str:
            return (judged.kind.name, repr(values))
    return (judged.kind.name, *values)


@dataclass(frozen=True, slots=True)
class _Asks:
    """What an expression looks at: members of `object`, and of its attributes those of these `names`; without those
    that are `needed` there is nothing to judge. Where `whole`, it looks at all there is.
    """

    parts: frozenset[str]
    names: tuple[str, ...]
    needed: frozenset[str]
    whole: bool

    @classmethod
    def of(cls, expression: str) -> _Asks:
        plain = unquoted(expression, members=True)
        mentions = set(_MENTION.findall(plain))
        parts = frozenset(first for first, _ in mentions)
        names = tuple(sorted(second for first, second in mentions if first == "attributes" and second))
        asked = set(_ASKED.findall(plain))
        whole = "" in parts or ("attributes", "") in mentions
        return cls(parts or frozenset({"kind"}), names, frozenset(names) - asked, whole)

    @property
    def alone(self) -> bool:
        """Whether no two objects are alike in what it looks at."""
        return self.whole or not {"address", "key"}.isdisjoint(self.parts)

    def lacks(self, name: str, value: Any) -> bool:
        """Return whether there is nothing to judge, for an attribute is not known."""
        return value is UNKNOWN and name in self.needed

    def view(self, judged: Judged, values: Iterable[Any]) -> Mapping[str, Any]:
        """Return what of an object the expression looks at; `values` are those that it names."""
        if self.whole:
            return judged.shown(judged.kind.attributes)
        seen: dict[str, Any] = {}
        if "attributes" in self.parts:
            pairs = zip(self.names, values, strict=True)
            seen["attributes"] = {name: value for name, value in pairs if value is not UNKNOWN}
        if "kind" in self.parts:
            seen["kind"] = judged.kind.name
        if "address" in self.parts:
            seen["address"] = judged.address
        if "key" in self.parts:
            seen["key"] = key_of(judged.address)
        return seen


def _swept(sweeps: Sequence[_Sweep], now: datetime.datetime, evaluate: Evaluate) -> list[list[ExpressionValue]]:
    """Return the answers of each sweep, in the order of its objects; all are asked at once."""
    if not sweeps:
        return []
    views: list[Mapping[str, Any]] = []
    asked: dict[int, tuple[int, ...]] = {}
    for look in {id(sweep.look): sweep.look for sweep in sweeps}.values():
        asked[id(look)] = tuple(range(len(views), len(views) + len(look.views)))
        views += look.views
    questions = [Question(sweep.expression, None, asked[id(sweep.look)]) for sweep in sweeps]
    answers = evaluate(questions, {"objects": views, "weekday": DAYS[now.weekday()], "now": now.isoformat()})
    return [_spread(sweep.look.places, answer) for sweep, answer in zip(sweeps, answers, strict=True)]


def _spread(places: Sequence[int], answer: ExpressionValue | list[ExpressionValue]) -> list[ExpressionValue]:
    """Return the answers about objects that are alike for each of them; why there is none stands for all."""
    return [answer[place] for place in places] if isinstance(answer, list) else [answer for _ in places]


def _answered(rule: Rule, sweep: _Sweep, answers: Sequence[ExpressionValue]) -> Iterator[Breach]:
    for judged, answer in zip(sweep.look.objects, answers, strict=True):
        if isinstance(answer, str):
            yield Breach.by(rule, judged, UNEVALUATED.format(answer))
        elif answer:
            yield Breach.by(rule, judged)


def waived(breach: Breach, waivers: Iterable[Waiver], today: datetime.date) -> Breach:
    """Return a breach with the waiver that holds for it, or with the day on which the last one ended."""
    mine = [
        waiver
        for waiver in waivers
        if waiver.rule == breach.rule.id and fnmatch.fnmatchcase(breach.address or "*", waiver.address)
    ]
    last = max(mine, key=lambda waiver: waiver.expires, default=None)
    if last is None:
        return breach
    if datetime.date.fromisoformat(last.expires) >= today:
        return replace(breach, waiver=last)
    return replace(breach, expired=last.expires)


def as_guards(broken: Iterable[Breach], *, label: str = "rule") -> list[GuardView]:
    """Return breaches as verdicts of a document: one for each rule and message, those that are waived apart."""
    grouped: dict[tuple[str, str, str, bool], list[Breach]] = {}
    for breach in broken:
        grouped.setdefault(
            (breach.rule.id, breach.rule.severity, breach.message, breach.waiver is not None), []
        ).append(breach)
    return [
        GuardView(
            name=f"{label} {name}",
            verdict="overridden" if let else "tripped" if severity == "error" else "warned",
            message=message,
            addresses=[breach.address for breach in some if breach.address],
            places={breach.address: str(breach.at) for breach in some if breach.address and breach.at is not None},
            by="project file" if let else "",
        )
        for (name, severity, message, let), some in grouped.items()
    ]


def as_diagnostics(broken: Iterable[Breach], rules: Rules) -> list[Diagnostic]:
    """Return breaches as problems with the places of what breaks the rules, else with those of the rules; what is
    waived is a note.
    """
    return [
        Diagnostic(
            f"{breach.address}: {breach.message}" if breach.address else breach.message,
            breach.at or rules.places.get(breach.rule.id),
            WAIVER if breach.waiver is None else "",
            code=f"rule-{breach.rule.id}",
            severity=breach.rule.severity if breach.waiver is None else "note",
            waived=waiver_in(breach.message) if breach.waiver is not None else "",
        )
        for breach in broken
    ]
