"""Rules over the changes of a plan document, and policies, which are rules about nothing else. Pure: the day is passed
in.
"""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Iterable, Mapping, Sequence

from reconciler.judging.expressions import Evaluate, ExpressionValue, Question
from reconciler.judging.objects import Judged, changed_objects
from reconciler.judging.rules import DAYS, UNEVALUATED, UNJUDGED, Breach, as_guards, breaches, denied, waived
from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.model.kind import Kinds
from reconciler.model.patterns import SearchBudget, Unbounded
from reconciler.model.project import Deny, Policy, Rule
from reconciler.model.ruling import NONE, Rules


def as_rule(policy: Policy) -> Rule:
    """Return a policy as the rule about changes that it is."""
    return Rule.model_construct(
        id=policy.name,
        message=policy.message,
        severity=policy.severity,
        on="change",
        deny=policy.deny,
        when=policy.when,
        environments=policy.environments,
    )


def judge_policies(
    document: PlanDocument,
    policies: Iterable[Policy],
    kinds: Kinds,
    now: datetime.datetime,
    evaluate: Evaluate,
    *,
    rules: Rules = NONE,
    tell_all: bool = False,
) -> list[GuardView]:
    """Return the verdict of every policy and rule that has something to say about the plan; with `tell_all`, of every
    one.

    `evaluate` answers all expressions at once. A rule whose expression fails denies, and so does one that cannot be
    judged within its budget: a rule that cannot be checked was not kept.
    """
    here = [policy for policy in policies if not policy.environments or document.environment in policy.environments]
    asked = rules.on("change", document.environment)
    if not here and not asked:
        return []
    objects = changed_objects(document, kinds)
    about_objects = rules._replace(rules=tuple(rule for rule in asked if not rule.of_changes))
    broken = breaches(about_objects, "change", list(objects.values()), document.environment, now, evaluate)
    about_changes = [*map(as_rule, here), *(rule for rule in asked if rule.of_changes)]
    broken += [
        waived(breach, rules.waivers, now.date())
        for breach in _of_changes(document, about_changes, objects, now, evaluate)
    ]
    verdicts = [view for policy in here for view in _verdicts("policy", policy.name, broken, tell_all=tell_all)]
    return verdicts + _of_rules(asked, broken, tell_all=tell_all, judged=bool(objects))


def _of_rules(rules: Iterable[Rule], broken: Sequence[Breach], *, tell_all: bool, judged: bool) -> list[GuardView]:
    """Return the verdicts of rules; without objects that are `judged`, a rule about objects was not kept."""
    return [
        view
        for rule in rules
        for view in _verdicts("rule", rule.id, broken, tell_all=tell_all and (judged or bool(rule.of_changes)))
    ]


def _verdicts(label: str, name: str, breaches: Iterable[Breach], *, tell_all: bool) -> list[GuardView]:
    guards = as_guards((breach for breach in breaches if breach.rule.id == name), label=label)
    return guards or ([GuardView(name=f"{label} {name}", verdict="passed")] if tell_all else [])


def _of_changes(
    document: PlanDocument,
    rules: Sequence[Rule],
    objects: Mapping[str, Judged],
    now: datetime.datetime,
    evaluate: Evaluate,
) -> list[Breach]:
    weekday, budget = DAYS[now.weekday()], SearchBudget()
    hits = [_hits(rule, document, objects, weekday, budget.share()) for rule in rules]
    questions = [_questions(rule, hit) for rule, hit in zip(rules, hits, strict=True)]
    every = [question for some in questions for question in some]
    values = {"plan": document.model_dump(mode="json"), "weekday": weekday, "now": now.isoformat()} if every else {}
    answers = dict(zip(every, evaluate(every, values) if every else (), strict=True))
    verdicts = []
    for rule, hit, asked in zip(rules, hits, questions, strict=True):
        broken, addresses, why = _judged(rule, hit, {question: answers[question] for question in asked})
        if broken:
            verdicts += [Breach(rule, address, why) for address in addresses] or [Breach(rule, why=why)]
    return verdicts


def _hits(
    rule: Rule, document: PlanDocument, objects: Mapping[str, Judged], weekday: str, budget: SearchBudget
) -> list[str] | str:
    """Return the addresses of the changes that `deny` is against, or why that cannot be told."""
    if rule.deny is None:
        return []
    try:
        return [
            change.address
            for change in document.changes
            if _denied(rule.deny, change, objects.get(change.address), weekday, budget)
        ]
    except Unbounded as error:
        return str(error)


def _questions(rule: Rule, hits: list[str] | str) -> list[Question]:
    if rule.when is None or isinstance(hits, str):
        return []
    return [Question(rule.when)] if rule.deny is None else [Question(rule.when, address) for address in hits]


def _judged(
    rule: Rule, hits: list[str] | str, answers: Mapping[Question, ExpressionValue | list[ExpressionValue]]
) -> tuple[bool, list[str], str]:
    """Return whether the rule is broken, by which addresses, and why it could not be judged."""
    if isinstance(hits, str):
        return True, [], UNJUDGED.format(hits)
    failed = next((answer for answer in answers.values() if isinstance(answer, str)), None)
    if failed is not None:
        return True, [], UNEVALUATED.format(failed)
    if rule.when is None:
        return bool(hits), hits, ""
    agreed = [question.address for question, answer in answers.items() if answer is True]
    return bool(agreed), [address for address in agreed if address is not None], ""


def _denied(deny: Deny, change: ChangeView, judged: Judged | None, weekday: str, budget: SearchBudget) -> bool:
    if not fnmatch.fnmatchcase(change.kind, deny.kind) or not fnmatch.fnmatchcase(change.address, deny.address):
        return False
    if deny.action not in ("any", change.action) and (deny.action, change.action) != ("delete", "replace"):
        return False
    if deny.weekdays and weekday not in deny.weekdays:
        return False
    if deny.records_above is not None and not _loses_more(change, deny.records_above):
        return False
    return deny.attribute is None or (judged is not None and denied(deny, judged, budget))


def _loses_more(change: ChangeView, most: int) -> bool:
    counts = [impact.count for impact in change.impacts if impact.effect in ("lost", "moved")]
    return None in counts or sum(count or 0 for count in counts) > most
