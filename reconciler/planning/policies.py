"""Policies: the team's own rules over a plan document, declarative ones and expressions. Pure: the day is passed in."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.model.patterns import Budget, Unbounded
from reconciler.model.project import Deny, Policy
from reconciler.planning.expressions import Answer, Evaluate, Question

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STAYS = ("create", "adopt", "update", "replace")
"""Actions after which the object is as declared: attributes are judged only there."""


def judge_policies(
    document: PlanDocument,
    policies: Iterable[Policy],
    now: datetime.datetime,
    evaluate: Evaluate,
    *,
    tell_all: bool = False,
) -> list[GuardView]:
    """Return the verdict of every policy that has something to say about the plan; with `tell_all`, of every policy.

    `evaluate` answers all expressions at once. A policy whose expression fails denies, and so does one that cannot be
    judged within its budget: a rule that cannot be checked was not kept.
    """
    weekday = DAYS[now.weekday()]
    here = [policy for policy in policies if not policy.environments or document.environment in policy.environments]
    budget = Budget()
    hits = [_hits(policy, document, weekday, budget) for policy in here]
    questions = [_questions(policy, found) for policy, found in zip(here, hits, strict=True)]
    every = [one for some in questions for one in some]
    values = {"plan": document.model_dump(mode="json"), "weekday": weekday, "now": now.isoformat()} if every else {}
    answers = dict(zip(every, evaluate(every, values) if every else (), strict=True))
    verdicts = []
    for policy, found, asked in zip(here, hits, questions, strict=True):
        broken, addresses, why = _judged(policy, found, {one: answers[one] for one in asked})
        if broken or tell_all:
            verdicts.append(_verdict(policy, broken, addresses, why))
    return verdicts


def _verdict(policy: Policy, broken: bool, addresses: list[str], why: str) -> GuardView:
    denied: Literal["tripped", "warned"] = "tripped" if policy.severity == "error" else "warned"
    return GuardView(
        name=f"policy {policy.name}",
        verdict=denied if broken else "passed",
        message=f"{policy.message}{f' ({why})' if why else ''}" if broken else "",
        addresses=addresses,
    )


def _hits(policy: Policy, document: PlanDocument, weekday: str, budget: Budget) -> list[str] | str:
    """Return the addresses of the changes that `deny` is against, or why that cannot be told."""
    if policy.deny is None:
        return []
    try:
        return [change.address for change in document.changes if _denied(policy.deny, change, weekday, budget)]
    except Unbounded as error:
        return str(error)


def _questions(policy: Policy, hits: list[str] | str) -> list[Question]:
    if policy.when is None or isinstance(hits, str):
        return []
    return [Question(policy.when)] if policy.deny is None else [Question(policy.when, address) for address in hits]


def _judged(policy: Policy, hits: list[str] | str, answers: Mapping[Question, Answer]) -> tuple[bool, list[str], str]:
    """Return whether the policy is broken, by which addresses, and why it could not be judged."""
    if isinstance(hits, str):
        return True, [], f"it cannot be judged, so it counts as broken: {hits}"
    failed = next((answer for answer in answers.values() if isinstance(answer, str)), None)
    if failed is not None:
        return True, [], f"its expression cannot be evaluated, so it counts as broken: {failed}"
    if policy.when is None:
        return bool(hits), hits, ""
    agreed = [question.address for question, answer in answers.items() if answer is True]
    return bool(agreed), [address for address in agreed if address is not None], ""


def _denied(deny: Deny, change: ChangeView, weekday: str, budget: Budget) -> bool:
    if not fnmatch.fnmatchcase(change.kind, deny.kind) or not fnmatch.fnmatchcase(change.address, deny.address):
        return False
    if deny.action not in ("any", change.action) and (deny.action, change.action) != ("delete", "replace"):
        return False
    if deny.weekdays and weekday not in deny.weekdays:
        return False
    if deny.records_above is not None and not _loses_more(change, deny.records_above):
        return False
    return deny.attribute is None or (change.action in STAYS and _wrong(deny, change, budget))


def _loses_more(change: ChangeView, most: int) -> bool:
    counts = [impact.count for impact in change.impacts if impact.effect in ("lost", "moved")]
    return None in counts or sum(count or 0 for count in counts) > most


def _wrong(deny: Deny, change: ChangeView, budget: Budget) -> bool:
    texts = list(_texts(value_after(change, deny.attribute or "")))
    if deny.matches is not None and any(budget.found(deny.matches, text) for text in texts):
        return True
    if deny.unless_matches is not None and not all(budget.found(deny.unless_matches, text) for text in texts):
        return True
    return bool(deny.unless_hosts) and not all(_at_host(text, deny.unless_hosts) for text in texts)


def value_after(change: ChangeView, name: str) -> Any:
    """Return the value that an attribute will have, masked as in the document; None where it is not known."""
    changed = next((item for item in change.attributes if item.name == name), None)
    if changed is not None:
        return changed.after
    value = change.desired.get(name)
    hashed = isinstance(value, dict) and "$sensitive" in value
    return change.found.get(name) if value is None or hashed else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict) and set(value) == {"$secret"}:
        yield value["$secret"]
    elif value is not None:
        yield str(value)


def _at_host(text: str, hosts: Iterable[str]) -> bool:
    host = urlsplit(text).hostname or ""
    return any(fnmatch.fnmatchcase(host, pattern.lower()) for pattern in hosts)
