"""Policies: the team's own rules, declarative and as expressions, on live plans and on saved ones."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.document import AttributeView, ChangeView, ImpactView, PlanDocument
from reconciler.model.project import Policy
from reconciler.planning.policies import judge_policies
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


def verdicts(
    policy: dict[str, Any], *changes: ChangeView, now: datetime.datetime = MONDAY
) -> list[tuple[str, list[str]]]:
    """Judge a plan by one policy."""
    made = Policy.model_validate({"name": "p", "message": "No", **policy})
    return [(one.verdict, one.addresses) for one in judge_policies(document(*changes), [made], now)]


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
    assert "no regular expression" in ran.err
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
