"""What a report says in words and what the plan document counts: the same numbers, whatever a plan does."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Literal, get_args

import pytest

from reconciler.model.document import ChangeView, GuardView, ImpactView, PlanDocument, Summary
from reconciler.model.write import Effect
from reconciler.render import sentences
from reconciler.render.naming import Names, sized
from reconciler.render.terms import SCREENS

FEW, MANY = 30, 3000
_WORDS = {sized(count, "", "").strip(): count for count in range(1, 13)}
_COUNT = rf"(?:\d[\d,]*|{'|'.join(_WORDS)})"
_VERBS = {
    "deletes": "delete",
    "switches off": "switch_off",
    "changes": "change",
    "takes over and changes": "both",
    "takes over": "adopt",
    "stops looking after": "forget",
    "creates": "create",
    "leaves": "manual",
}
_VERB = re.compile(rf"\b({'|'.join(_VERBS)}|and makes (?:it|them) again)\b")
_SENTENCES = {
    "approvals": rf"It needs ({_COUNT}) approvals?\.",
    "records_at_risk": rf"(?:Up to )?({_COUNT}) customer records? (?:is|are) affected\.",
    "records_moved": rf"({_COUNT}) customer records? (?:is|are) kept.*",
    "unmanaged": rf"({_COUNT}) things? that .* along\.",
    "unmeasured": rf"For ({_COUNT}) changes? what is lost cannot be counted\.",
}
_Action = Literal["create", "adopt", "update", "replace", "delete", "forget", "manual"]
_ACTIONS: tuple[_Action, ...] = get_args(_Action)
_EFFECTS: tuple[Effect, ...] = ("lost", "lost", "moved", "unmanaged")


def _number(text: str) -> int:
    return _WORDS.get(text) or int(text.replace(",", ""))


def read(verdict: list[str]) -> Counter[str]:
    """Return the numbers that a verdict tells, by what they count."""
    counts: Counter[str] = Counter()
    for line in verdict:
        for name, pattern in _SENTENCES.items():
            if match := re.fullmatch(pattern, line):
                counts[name] += _number(match[1])
        for sentence in re.findall(r"(?:This plan|It also) [^.]+", line):
            verbs = list(_VERB.finditer(sentence))
            for verb, after in zip(verbs, [*verbs[1:], None], strict=True):
                named = sentence[verb.end() : after.start() if after else None]
                what = "replace" if after and "again" in after[1] else _VERBS.get(verb[1], "")
                counts[what] += sum(map(_number, re.findall(rf"\b({_COUNT}) ", named)))
    return +counts


def drawn(chance: Random) -> PlanDocument:
    """Return a plan of some changes with its counts, which are taken from the changes as plans are made."""
    kinds = chance.sample(list(SCREENS), chance.randint(1, 7))
    changes = [_change(chance, number, chance.choice(kinds)) for number in range(chance.choice([1, 3, 12, 60]))]
    actions = Counter(change.action for change in changes if not change.switches_off)
    effects = [view for change in changes for view in change.impacts]
    counted = {
        effect: sum(view.count or 0 for view in effects if view.effect == effect)
        for effect in ("lost", "moved", "unmanaged")
    }
    summary = Summary(
        add=actions["create"] + actions["replace"],
        change=actions["update"],
        destroy=actions["delete"] + actions["replace"],
        switch_off=sum(change.switches_off for change in changes),
        adopt=sum(change.adopts for change in changes),
        forget=actions["forget"],
        manual=sum(bool(change.manual) for change in changes),
        records_at_risk=counted["lost"],
        records_moved=counted["moved"],
        unmanaged=counted["unmanaged"],
        at_most=any(view.at_most for view in effects),
        unmeasured=sum(view.count is None for view in effects),
    )
    guards = [
        GuardView(name=f"guard_{number}", verdict="tripped", override=f"--allow guard_{number}")
        for number in range(chance.choice([0, 0, 1, 5]))
    ]
    return PlanDocument(changes=changes, summary=summary, guards=guards)


def _change(chance: Random, number: int, kind: str) -> ChangeView:
    action = chance.choice(_ACTIONS)
    off = kind == "task_type" and action == "delete"
    loses = action in ("delete", "replace", "update") and chance.random() < 0.5
    effect = chance.choice(_EFFECTS)
    count = chance.choice([None, 0, 1, 4, 1_234]) if effect == "lost" else chance.choice([0, 1, 4, 1_234])
    manual = {"role": "change it by hand"} if action == "manual" or chance.random() < 0.1 else {}
    return ChangeView(
        address=f"{kind}.x{number}",
        kind=kind,
        action=action,
        switches_off=off,
        adopts=action == "adopt" or (action == "update" and chance.random() < 0.2),
        impacts=[ImpactView(count=count, noun="records", effect=effect)] if loses else [],
        manual=manual,
    )


def counted(document: PlanDocument) -> Counter[str]:
    """Return what a plan counts, by what its verdict tells."""
    counts, again = document.summary, sum(change.action == "replace" for change in document.changes)
    both = sum(change.adopts and change.action == "update" for change in document.changes)
    named = ("switch_off", "forget", "manual", "records_at_risk", "records_moved", "unmanaged", "unmeasured")
    return +Counter(
        {
            "delete": counts.destroy - again,
            "replace": again,
            "create": counts.add - again,
            "change": counts.change - both,
            "adopt": counts.adopt - both,
            "both": both,
            "approvals": len(document.tripped),
            **{name: getattr(counts, name) for name in named},
        }
    )


@pytest.mark.parametrize("number", range(FEW))
def test_a_verdict_tells_the_numbers_of_its_plan(number: int) -> None:
    """What goes, comes, changes and is left to do, and how many records and approvals."""
    document = drawn(Random(number))
    assert read(sentences.verdict(document)) == counted(document), sentences.verdict(document)


@pytest.mark.prove
def test_many_verdicts_tell_the_numbers_of_their_plans() -> None:
    """In random plans of all sizes."""
    for number in range(FEW, MANY):
        document = drawn(Random(number))
        assert read(sentences.verdict(document)) == counted(document), (number, sentences.verdict(document))


def test_what_is_taken_over_and_changed_is_told_as_both() -> None:
    """It was nobody's before: a change of what is looked after anyway reads otherwise."""
    change = ChangeView(address="tag.vip", kind="tag", action="update", adopts=True)
    assert sentences.sentence(change, Names([change])) == "The tag Vip exists already, is taken over and changes."
    assert (sentences.done(change), sentences.more(change)) == (
        "Taken over and changed",
        "It exists already and is kept; no second one is made.",
    )
    assert sentences.verdict(PlanDocument(changes=[change]))[0] == "This plan takes over and changes one tag."
