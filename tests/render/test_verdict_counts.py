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
from reconciler.render.naming import sized
from reconciler.render.terms import SCREENS

FEW, MANY = 30, 3000
_WORDS = {sized(count, "", "").strip(): count for count in range(1, 13)}
_COUNT = rf"(?:\d[\d,]*|{'|'.join(_WORDS)})"
_VERBS = {
    "deletes": "delete",
    "switches off": "switch_off",
    "changes": "change",
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
        adopt=actions["adopt"],
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
        impacts=[ImpactView(count=count, noun="records", effect=effect)] if loses else [],
        manual=manual,
    )


def check(number: int) -> None:
    """Hold the verdict of a plan of this number to what the plan counts."""
    document = drawn(Random(number))
    counts, again = document.summary, sum(change.action == "replace" for change in document.changes)
    assert read(sentences.verdict(document)) == +Counter(
        {
            "delete": counts.destroy - again,
            "replace": again,
            "create": counts.add - again,
            **{name: getattr(counts, name) for name in ("switch_off", "change", "adopt", "forget", "manual")},
            **{name: getattr(counts, name) for name in ("records_at_risk", "records_moved", "unmanaged", "unmeasured")},
            "approvals": len(document.tripped),
        }
    ), (number, sentences.verdict(document))


@pytest.mark.parametrize("number", range(FEW))
def test_a_verdict_tells_the_numbers_of_its_plan(number: int) -> None:
    """What goes, comes, changes and is left to do, and how many records and approvals."""
    check(number)


@pytest.mark.prove
def test_many_verdicts_tell_the_numbers_of_their_plans() -> None:
    """See `check`."""
    for number in range(FEW, MANY):
        check(number)
    assert read(["This plan deletes two tags."]) == {"delete": 2}
