"""Policies: the team's own rules, declarative and as expressions, on live plans and on saved ones."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.judging.expressions import ExpressionValue, Question, answers
from reconciler.judging.policies import judge_policies
from reconciler.model.document import AttributeView, ChangeView, ImpactView, PlanDocument
from reconciler.model.project import Policy
from reconciler.resources import load_kinds
from reconciler.workflow.rules.evaluating import evaluate
from tests.trust.stories import Story
from tests.world import World

FRIDAY = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
MONDAY = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
POLICIES = """
policies:
  - name: tag-names
    message: Tags begin with a small letter
    deny: {kind: tag, attribute: name, unless_matches: "^[a-z]"}
  - name: our-hosts
    message: Webhooks go to our own hosts
    deny: {kind: webhook, attribute: url, unless_hosts: ["*.acme.example"]}
  - name: few-creates
    message: Many objects at once are worth a second look
    severity: warning
    when: plan.summary.add > 1
"""


def extend(world: World, text: str) -> None:
    """Add to the project file."""
    path = world.folder / "reconciler.yaml"
    path.write_text(path.read_text() + text)


def document(*changes: ChangeView) -> PlanDocument:
    """A plan."""
    return PlanDocument(environment="prod", changes=list(changes))


def in_process(
    questions: Sequence[Question], values: Mapping[str, Any]
) -> list[ExpressionValue | list[ExpressionValue]]:
    """Evaluate without a process of its own, which costs a start."""
    return list(answers(questions, values))


def verdicts(
    policy: dict[str, Any], *changes: ChangeView, now: datetime.datetime = MONDAY
) -> list[tuple[str, list[str]]]:
    """Judge a plan by one policy."""
    made = Policy.model_validate({"name": "p", "message": "No", **policy})
    told = judge_policies(document(*changes), [made], load_kinds(), now, in_process)
    return [(one.verdict, one.addresses) for one in told]


DELETE = ChangeView(address="list.a", kind="list", action="delete", impacts=[ImpactView(count=101, noun="contacts")])
TAG = ChangeView(address="tag.a", kind="tag", action="create", desired={"name": "Upper"})


def test_no_list_deletion_on_fridays() -> None:
    """A rule may hold on some days only."""
    rule = {"deny": {"kind": "list", "action": "delete", "weekdays": ["friday"]}}
    assert verdicts(rule, DELETE, now=FRIDAY) == [("tripped", ["list.a"])]
    assert verdicts(rule, DELETE, now=MONDAY) == []


def test_no_delete_above_100_records() -> None:
    """A count above the limit breaks the rule, and so does one that nobody knows."""
    rule = {"deny": {"action": "delete", "records_above": 100}}
    assert verdicts(rule, DELETE) == [("tripped", ["list.a"])]
    unknown = DELETE.model_copy(update={"impacts": [ImpactView(count=None, noun="contacts")]})
    assert verdicts(rule, unknown) == [("tripped", ["list.a"])]
    few = DELETE.model_copy(update={"impacts": [ImpactView(count=100, noun="contacts")]})
    assert verdicts(rule, few) == []


def test_values_have_to_match() -> None:
    """Attributes are judged as they will be, on whatever stays; deletes are left alone."""
    rule = {"deny": {"kind": "tag", "attribute": "name", "unless_matches": "^[a-z]"}}
    assert verdicts(rule, TAG) == [("tripped", ["tag.a"])]
    renamed = TAG.model_copy(update={"attributes": [AttributeView(name="name", before="Upper", after="lower")]})
    assert verdicts(rule, renamed) == []
    assert verdicts(rule, TAG.model_copy(update={"action": "delete"})) == []


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://hooks.acme.example/(sensitive)", []),
        ({"$secret": "https://hooks.acme.example/ac?key=${secret.KEY}"}, []),
        ("https://evil.example/(sensitive)", [("tripped", ["webhook.w"])]),
        ("https://hooks.acme.example.evil.example/x", [("tripped", ["webhook.w"])]),
        ("https://evil.example/?hooks.acme.example", [("tripped", ["webhook.w"])]),
        ({"$secret": "${secret.URL}"}, [("tripped", ["webhook.w"])]),
    ],
)
def test_webhooks_only_to_our_hosts(url: Any, verdict: list[Any]) -> None:
    """The host decides, also of masked URLs and of such with secrets; a host that is a secret itself is denied."""
    hook = ChangeView(
        address="webhook.w",
        kind="webhook",
        action="update",
        attributes=[AttributeView(name="url", after=url)],
        desired={"url": {"$sensitive": "0"}},
    )
    rule = {"deny": {"kind": "webhook", "attribute": "url", "unless_hosts": ["*.acme.example"]}}
    assert verdicts(rule, hook) == verdict


@pytest.mark.parametrize(
    ("when", "verdict"),
    [
        ("plan.changes.exists(c, c.action == 'delete' && c.kind == 'list')", "tripped"),
        ("plan.changes.exists(c, c.kind == 'pipeline')", None),
        ("weekday == 'monday'", "tripped"),
        ("plan.nothing_of_that_name", "tripped"),
        ("plan.changes.size()", "tripped"),
        ("1 / 0 == 1", "tripped"),
        ("plan.changes.exists(", "tripped"),
        ("no_such_variable", "tripped"),
    ],
)
def test_expressions(when: str, verdict: str | None) -> None:
    """True breaks the rule; so does whatever is no plain true or false: errors, other types, syntax."""
    assert [one for one, _ in verdicts({"when": when}, DELETE)] == ([verdict] if verdict else [])


def test_no_pattern_takes_more_than_time_linear_in_the_text() -> None:
    """A pattern over which a backtracking search would not end is decided at once."""
    rule = {"deny": {"attribute": "name", "matches": "^(a+)+$"}}
    endless = TAG.model_copy(update={"desired": {"name": "a" * 5_000 + "!"}})
    assert verdicts(rule, endless) == []
    other = {"when": "plan.changes.exists(c, c.desired.name.matches('^(a+)+$'))"}
    assert verdicts(other, endless) == []


def test_a_policy_that_exceeds_its_budget_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns have steps, expressions iterations: what cannot be judged within them was not kept."""
    monkeypatch.setattr("reconciler.model.patterns.SearchBudget.__init__.__defaults__", (10_000, None))
    assert verdicts({"deny": {"attribute": "name", "matches": "x{100}"}}, TAG) == []
    large = TAG.model_copy(update={"desired": {"name": "y" * 10_000}})
    assert verdicts({"deny": {"attribute": "name", "matches": "x{100}"}}, large) == [("tripped", [])]
    many = [TAG.model_copy(update={"address": f"tag.{number}"}) for number in range(30)]
    nested = "plan.changes.all(a, plan.changes.all(b, plan.changes.all(c, true)))"
    assert verdicts({"when": nested}, *many[:5]) == [("tripped", [])]
    assert verdicts({"when": nested}, *many) == [("tripped", [])]


def test_expressions_end_with_their_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What neither iterations nor patterns bound ends after its seconds of computing; what was answered before stands.
    The process has none of our variables.
    """
    monkeypatch.setenv("AC_TOKEN", "canary")
    changes = [{"address": f"tag.{number}", "text": "ab" * 60_000} for number in range(90)]
    dear = "plan.changes.all(c, !c.text.matches('(?:a?b?){450}[ab]{900}$' + c.address))"
    asked = [Question("weekday == 'monday'"), Question(f"{dear} && {dear}"), Question("true")]
    first, *others = evaluate(asked, {"plan": {"changes": changes}, "weekday": "monday", "now": ""}, seconds=1)
    assert first is True
    assert all("1 s of computing" in str(answer) for answer in others)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?<=a)b", "invalid perl operator"),
        (r"(a)\1", "invalid escape"),
        ("((a{99}){99}){99}", "repetition"),
        ("a{1000}" * 6, "instructions"),
        ("[", "missing ]"),
    ],
)
def test_patterns_that_re2_does_not_know_are_told(pattern: str, why: str) -> None:
    """The error says what it is that is not known."""
    with pytest.raises(ValidationError, match=why):
        Policy.model_validate({"name": "p", "message": "No", "deny": {"attribute": "name", "matches": pattern}})


def test_expression_beside_a_denial_looks_at_each_change() -> None:
    """With `deny`, the expression judges each chosen change."""
    rule = {"deny": {"action": "delete"}, "when": "change.address.startsWith('list.b')"}
    assert verdicts(rule, DELETE) == []
    other = DELETE.model_copy(update={"address": "list.b"})
    assert verdicts(rule, DELETE, other) == [("tripped", ["list.b"])]


def test_rules_of_other_environments_do_not_hold() -> None:
    """A rule may be for some environments only."""
    assert verdicts({"deny": {}, "environments": ["sandbox"]}, DELETE) == []
    assert verdicts({"deny": {}, "environments": ["prod"]}, DELETE) == [("tripped", ["list.a"])]


def test_without_the_extra_the_command_says_so(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Expressions need an extra; without it the error names it, and declarative rules go on working."""
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    project = world.folder / "reconciler.yaml"
    plain = project.read_text()
    world.write("tags: {a: {}}")
    project.write_text(plain + POLICIES)
    ran = world.cli("plan")
    assert ran.code == 1
    assert "[policy]" in ran.err
    project.write_text(plain + POLICIES.partition("  - name: few-creates")[0])
    assert world.cli("plan").code == 0


def test_story_of_policies(world: World) -> None:
    """A plan that breaks rules is refused, no --allow helps; `policy test` tells of saved plans."""
    story = Story(world)
    extend(world, POLICIES)
    world.write(
        "tags: {a: {name: Upper}}\n"
        'webhooks: {w: {name: W, url: "https://evil.example/x", events: [deal_add], sources: [api]}}'
    )
    assert story.run("apply", "--auto-approve") == 7
    assert not world.writes()
    assert story.run("plan", "--allow", "policy tag-names", "--out", str(world.folder / "bad.json")) == 7
    assert story.run("apply", str(world.folder / "bad.json")) == 7
    world.write("tags: {a: {name: lower}}")
    assert story.run("plan", "--out", str(world.folder / "good.json")) == 0
    assert story.run("policy", "test", str(world.folder / "good.json"), str(world.folder / "bad.json")) == 7
    assert story.run("policy", "test", str(world.folder / "good.json")) == 0
    assert not world.requests()
    story.check("policies")


def test_policies_are_judged_again_on_the_day_of_the_apply(world: World, tmp_path: Path) -> None:
    """A rule that came, or a day that is another, between plan and apply counts."""
    world.write("tags: {a: {}}")
    path = str(world.folder / "plan.json")
    assert world.cli("plan", "--out", path).code == 0
    extend(world, "policies: [{name: freeze, message: Frozen, when: 'true'}]\n")
    ran = world.cli("apply", path)
    assert ran.code == 7, ran.text
    assert not world.rows("tags")


def test_bad_policies_are_told_with_their_place(world: World) -> None:
    """A regular expression that is none, a rule that says nothing: errors of the project file."""
    extend(
        world,
        "policies:\n  - {name: a, message: A, deny: {attribute: name, matches: '['}}\n  - {name: b, message: B}\n",
    )
    world.write("tags: {a: {}}")
    ran = world.cli("validate")
    assert ran.code == 3
    assert "not a regular expression" in ran.err
    assert "`deny`, `when`, or both" in ran.err


def test_verdicts_as_rows(world: World) -> None:
    """`policy test --format json` prints a row for each address."""
    extend(world, POLICIES)
    world.write("tags: {a: {name: Upper}}")
    path = str(world.folder / "plan.json")
    world.cli("plan", "--out", path)
    rows = json.loads(world.cli("policy", "test", "--format", "json", path).out)
    assert {"address", "kind", "id", "plan", "name", "verdict", "message"} == set(rows[0])
    assert [(row["address"], row["verdict"]) for row in rows if row["name"] == "policy tag-names"] == [
        ("tag.a", "tripped")
    ]
