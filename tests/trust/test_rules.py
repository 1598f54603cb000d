"""Rules: one verdict for the same object, as files declare it, as a plan leaves it, as the account holds it."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from reconciler.judging.expressions import ExpressionValue, Question, answers
from reconciler.judging.objects import UNKNOWN, Judged, changed_objects, declared_objects
from reconciler.judging.rules import at_host, breaches
from reconciler.model.desired import Desired, Resource
from reconciler.model.project import Rule, Waiver
from reconciler.model.ruling import Rules
from reconciler.resources import load_kinds
from reconciler.workflow.observation.contents import hold
from reconciler.workflow.rules.evaluating import evaluate, evaluating
from reconciler.workflow.rules.ruling import _live
from tests.properties.configurations import configurations
from tests.world import World, new_world
from tests.world.clock import run

EVERYTHING = Path(__file__).resolve().parents[2] / "examples" / "everything" / "config"
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""No shrinking: each example is two whole runs of the program."""
NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def extend(world: World, text: str) -> None:
    """Add to the project file."""
    path = world.folder / "reconciler.yaml"
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def in_process(
    questions: Sequence[Question], values: Mapping[str, Any]
) -> list[ExpressionValue | list[ExpressionValue]]:
    """Evaluate without a process of its own, which costs a start."""
    return list(answers(questions, values))


def rule(**more: Any) -> Rule:
    """A rule that is called `r`."""
    return Rule.model_validate({"id": "r", "message": "No", **more})


def broken(one: Rule, *objects: Judged, waivers: Iterable[Waiver] = (), subject: Any = "declaration") -> list[str]:
    """Return the addresses that break a rule, waived or not."""
    found = breaches(Rules((one,), tuple(waivers)), subject, objects, "prod", NOW, in_process)
    return [f"{each.address}{' waived' if each.waiver else ''}{' late' if each.expired else ''}" for each in found]


def tag(key: str = "vip", **attrs: Any) -> Judged:
    """A declared tag."""
    resource = Resource(f"tag.{key}", "tag", key, {"name": key, "type": "contact", **attrs})
    return declared_objects(Desired({resource.address: resource}), load_kinds())[0]


def values_of(objects: Iterable[Judged]) -> dict[tuple[str, str], Any]:
    """Return what rules see of objects, by address and attribute."""
    return {(one.address, name): one.value(name) for one in objects for name in one.kind.attributes}


def seen_in(world: World) -> tuple[dict[tuple[str, str], Any], ...]:
    """Return what rules see of the configuration, of the plan that creates it, and of the account after its apply."""
    kinds = load_kinds()
    session = world.session()
    declared = declared_objects(session.load().desired, kinds)
    applied = world.apply(yes=True)
    planned = changed_objects(applied.planned.document, kinds).values()
    held = run(hold(world.session(), "demo", masked=False))
    bindings = held.state.resources
    lives = {(live.kind, live.id): live for found in held.seen.lives.values() for live in found}
    found = [(address, lives[one.kind, one.id]) for address, one in bindings.items()]
    live = _live(world.session(), found, bindings, {}, whole=False)
    return values_of(declared), values_of(planned), values_of(live)


def differing(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return what both know, and know otherwise. Of maps with entries that nobody declared, the declared ones count."""
    both = one.keys() & other.keys()
    return {name: (one[name], other[name]) for name in both if not _alike(one[name], other[name])}


def _alike(one: Any, other: Any) -> bool:
    if one is UNKNOWN or other is UNKNOWN:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.items() <= other.items() or other.items() <= one.items()
    return bool(one == other)


def test_an_object_looks_alike_to_rules_wherever_it_is_seen(world: World) -> None:
    """All kinds: what rules see of a declaration is what they see of its create, and of the account afterwards; only
    what the account fills in is not known beforehand.
    """
    for path in EVERYTHING.glob("*.yaml"):
        text = path.read_text("utf-8").replace("host: {description", "host: {default: acme.example, description")
        world.write(text, f"config/{path.name}")
        world.set_secrets(f"config/{path.name}")
    declared, planned, live = seen_in(world)
    assert len(declared) > 100
    assert differing(declared, live) == {}
    assert differing(declared, planned) == {}
    assert differing(planned, live) == {}
    known = sum(value is not UNKNOWN for value in declared.values())
    assert known > 0.8 * len(declared), "what is unknown is the exception"


@hypothesis_settings(max_examples=4, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=configurations())
def test_random_objects_look_alike_to_rules(config: dict[str, Any]) -> None:
    """The same of random configurations; `make prove` tries many."""
    check_alike(config)


@pytest.mark.prove
@pytest.mark.timeout(3600)
@hypothesis_settings(max_examples=300, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=configurations())
def test_many_random_objects_look_alike_to_rules(config: dict[str, Any]) -> None:
    """The long run."""
    check_alike(config)


def check_alike(config: dict[str, Any]) -> None:
    """Apply a configuration to a new account, and compare what rules see of it."""
    with tempfile.TemporaryDirectory() as folder, new_world(Path(folder)) as world:
        world.write(json.dumps(config).replace("${", "$${"))
        declared, planned, live = seen_in(world)
        assert differing(declared, planned) == {}
        assert differing(declared, live) == {}


KEPT = """
tags:
  ok: {name: ok, description: "owner: Jane"}
"""
STANDS = """
tags:
  vip: {name: VIP}
  ok: {name: ok, description: "owner: Jane"}
webhooks:
  w: {name: W, url: "https://evil.example/x?key=${secret.KEY}", events: [deal_add], sources: [api]}
"""
RULES = """
rules:
  - id: small
    message: Tags begin with a small letter
    deny: {kind: tag, attribute: name, unless_matches: "^[a-z]"}
  - id: hosts
    message: Webhooks go to our own hosts
    deny: {kind: webhook, attribute: url, unless_hosts: ["*.acme.example"]}
  - id: owners
    message: A tag has an owner
    severity: warning
    when: '!object.attributes.description.contains("owner:")'
"""


def standing(world: World) -> None:
    """Let an account hold what the rules that come later are against."""
    world.environ["KEY"] = "hush-hush-key"
    world.write(STANDS)
    world.apply()


def test_a_new_rule_finds_what_already_breaks_it(world: World) -> None:
    """Declared and live, and unchanged: no plan ever shows it. `validate` does with the place, and so do `coverage` and
    `drift`; each ends with 7, and each says the same of the same objects.
    """
    standing(world)
    assert world.cli("plan", "--detailed-exitcode").code == 0
    extend(world, RULES)
    assert world.cli("plan", "--detailed-exitcode").code == 0, "nothing changes"
    found = {}
    for command in ("validate", "coverage", "drift"):
        ran = world.cli(command, "--format", "gitlab")
        assert ran.code == 7, ran.text
        rows = json.loads(ran.out)
        found[command] = {(row["check_name"], row["description"].partition(":")[0]) for row in rows}
        places = {row["check_name"]: (row["location"]["path"], row["location"]["lines"]["begin"]) for row in rows}
        assert places["rule-small"] == ("config/main.yaml", 3), command
        assert "hush" not in ran.text
    assert found["validate"] == {("rule-small", "tag.vip"), ("rule-hosts", "webhook.w"), ("rule-owners", "tag.vip")}
    assert found["coverage"] == found["drift"] == found["validate"]
    world.write(KEPT)
    assert world.cli("validate").code == 0


def test_a_plan_that_would_break_a_rule_is_refused(world: World) -> None:
    """The verdict over a create is that of `validate`; no `--allow` helps, and an apply of the file is refused, too."""
    world.environ["KEY"] = "k"
    world.write(STANDS)
    extend(world, RULES)
    ran = world.cli("plan", "--format", "json", "--out", "plan.json", "--allow", "rule small")
    told = {guard["name"]: (guard["verdict"], guard["addresses"]) for guard in json.loads(ran.out)["guards"]}
    assert ran.code == 7
    assert told["rule small"] == ("tripped", ["tag.vip"])
    assert told["rule hosts"] == ("tripped", ["webhook.w"])
    assert told["rule owners"] == ("warned", ["tag.vip"])
    assert world.cli("apply", "plan.json").code == 7
    assert not world.writes()


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://hooks.acme.example/x", True),
        ("https://HOOKS.acme.example:8443", True),
        ("https://bücher.acme.example/", True),
        ("https://evil.example/.acme.example", False),
        ("https://hooks.acme.example@evil.example/", False),
        ("https://evil.example\\.acme.example/", False),
        ("https://evil.example%00.acme.example/", False),
        ("https://evil.example%2f.acme.example/", False),
        ("https://evil.example／.acme.example/", False),
        ("hooks.acme.example", False),
    ],
)
def test_hosts_are_read_as_everybody_reads_them(url: str, ours: bool) -> None:
    """What some readers take for another host is none of ours."""
    assert at_host(url, ["*.Acme.example"]) is ours


def test_waivers_end() -> None:
    """A waiver names rule, address, reason and last day: on that day it holds, afterwards the verdict counts again."""
    before = Waiver(rule="r", address="tag.v*", reason="why", expires="2026-01-01")
    until = before.model_copy(update={"expires": "2026-01-02"})
    shouts = rule(deny={"kind": "tag", "attribute": "name", "matches": "^v"})
    assert broken(shouts, tag(), waivers=[before]) == ["tag.vip late"]
    assert broken(shouts, tag(), waivers=[before, until]) == ["tag.vip waived"], "on its last day it holds"
    assert broken(shouts, tag("vx"), tag("wx"), waivers=[until]) == ["tag.vx waived"]


def test_waivers_of_nothing_are_told(world: World) -> None:
    """A waiver of a rule that is not there, or without a date, is an error with its place."""
    world.write(KEPT)
    extend(world, RULES + "waivers:\n  - {rule: smal, reason: x, expires: 2027-01-01}\n")
    ran = world.cli("validate")
    assert (ran.code, "did you mean `small`" in ran.err, "reconciler.yaml:" in ran.err) == (3, True, True), ran.text


@pytest.mark.parametrize(
    "text",
    [
        RULES + "waivers:\n  - {rule: small, reason: ' ', expires: 2027-01-01}\n",
        "rules:\n  - {id: r, message: '', deny: {kind: tag, action: delete}, on: change}\n",
        "policies:\n  - {name: p, message: ' ', deny: {kind: tag}}\n",
        "ignore:\n  - {kind: tag, reason: ' '}\n",
    ],
)
def test_what_is_told_to_people_says_something(world: World, text: str) -> None:
    """A blank is no reason, and no message."""
    world.write(KEPT)
    extend(world, text)
    ran = world.cli("validate")
    assert (ran.code, "reconciler.yaml:" in ran.err) == (3, True), ran.text


WAIVED = (
    RULES
    + """
waivers:
  - {rule: small, address: tag.vip, reason: The shop looks for it, expires: 2999-01-31}
"""
)
TOLD = "Tags begin with a small letter (waived until 2999-01-31: The shop looks for it)"


def test_what_is_waived_is_told_everywhere_in_the_same_words(world: World) -> None:
    """By each command and in each form: it is a note with its reason and its last day, and stops nothing."""
    world.environ["KEY"] = "k"
    world.write(STANDS)
    extend(world, WAIVED.replace("*.acme.example", "*"))
    for command in ("plan", "validate", "coverage", "drift"):
        if command == "coverage":
            assert world.cli("apply", "--auto-approve").code == 0
        result = next(
            one
            for one in json.loads(world.cli(command, "--format", "sarif").out)["runs"][0]["results"]
            if one["ruleId"] == "rule-small"
        )
        assert (result["level"], result["message"]["text"]) == ("note", f"tag.vip: {TOLD}")
        assert result["suppressions"] == [
            {"kind": "external", "status": "accepted", "justification": TOLD[TOLD.index("waived") : -1]}
        ]
        assert f"::tag.vip: {TOLD}" in world.cli(command, "--format", "github").out
        rows = json.loads(world.cli(command, "--format", "gitlab").out)
        assert {(row["description"], row["severity"]) for row in rows} >= {(f"tag.vip: {TOLD}", "info")}
        ran = world.cli(command)
        assert (ran.code, TOLD in " ".join(ran.text.split())) == (0, True), ran.text


def test_a_plan_does_not_say_kept_of_what_is_broken(world: World) -> None:
    """A plan is judged by what it changes; what stands broken, and stays so, is told in the words of `drift`."""
    standing(world)
    extend(world, RULES)
    ran = world.cli("plan")
    assert (ran.code, "Kept" in ran.out) == (0, False), ran.text
    drift = " ".join(world.cli("drift").out.split())
    for verdict in (
        "rule small (broken): Tags begin",
        "rule hosts (broken): Webhooks",
        "rule owners (please note): A tag",
    ):
        assert verdict in " ".join(ran.out.split()), ran.text
        assert verdict in drift
    world.write(STANDS.replace("owner: Jane", "owner: Joe"))
    ran = world.cli("plan")
    told = " ".join(ran.out.split())
    assert ran.code == 0
    assert "Kept by what changes: rule small, rule hosts, rule owners" in told
    assert "rule small (broken): Tags begin with a small letter (stands so in the account" in told
    world.write(STANDS.replace("VIP", "vip").replace("https://evil", "https://x.acme"))
    told = " ".join(world.cli("plan", "--target", "tag.vip").out.split())
    assert "rule small (broken)" not in told, "what is mended does not stand so"
    assert "rule hosts (broken)" not in told, "what was not asked about is not judged"


EXPRESSIONS = {
    "object.attributes.name ==": "line 1, column 26: Syntax error",
    "objct.attributes.name == 'a'": "undeclared reference to 'objct.attributes.name'",
    "object.attributes.name.size()": "neither true nor false, but int",
    "' '": "neither true nor false, but string",
    "": "it is not an expression",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("where", ["rule", "policy", "pack"])
def test_an_expression_that_is_none_is_an_error_of_its_file(world: World, where: str, expression: str) -> None:
    """Each command that reads rules says so, with file and line: exit code 3."""
    world.write(KEPT)
    if where == "policy":
        extend(world, f"policies:\n  - name: p\n    message: Never\n    when: {json.dumps(expression)}\n")
        place = "reconciler.yaml:"
    else:
        text = f"rules:\n  - id: r\n    message: Never\n    when: {json.dumps(expression)}\n"
        place = "shared/pack.yaml:4:" if where == "pack" else "reconciler.yaml:"
        world.write(text, "shared/pack.yaml")
        extend(world, "include: [{source: shared}]\n" if where == "pack" else text)
    for command in READERS if expression.endswith("==") else ("validate",):
        ran = world.cli(*command.split())
        told = " ".join(ran.err.split())
        assert (ran.code, place in told, EXPRESSIONS[expression] in told) == (3, True, True), ran.text
        assert "hint: `when` is an expression in CEL" in told


READERS = (
    "validate",
    "plan",
    "apply --auto-approve",
    "coverage",
    "drift",
    "validate --guards-from file:reconciler.yaml",
)
"""Commands that read rules; `ci guard` and `policy test` do with a plan file."""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [{id: r, message: Never, deny: {kind: tag}, environments: [dmo]}]", "did you mean `demo`"),
        ("policies: [{name: r, message: Never, deny: {kind: tag}, environments: [dmo]}]", "did you mean `demo`"),
        ("rules: [{id: r, message: Never, deny: {address: tga.x}}]", "nothing has the address `tga.x`"),
        (RULES + "waivers: [{rule: small, address: tga.vip, reason: x, expires: 2999-01-01}]", "did you mean `tag`"),
        (RULES + "waivers: [{rule: small, address: vip, reason: x, expires: 2999-01-01}]", "an address is KIND.KEY"),
    ],
)
def test_names_of_nothing_are_errors(world: World, text: str, told: str) -> None:
    """An environment, a kind in an address: what is certainly a typo is an error with its place."""
    world.write(KEPT)
    extend(world, text)
    ran = world.cli("validate")
    assert (ran.code, told in " ".join(ran.err.split()), "reconciler.yaml:" in ran.err) == (3, True, True), ran.text


def test_a_rule_of_a_pack_that_is_about_nothing_names_its_file(world: World) -> None:
    """What is wrong is in the pack, and not where it is included."""
    world.write("rules:\n  - {id: r, message: Never, deny: {kind: tagg}}\n", "shared/pack.yaml")
    world.write(KEPT)
    extend(world, "include: [{source: shared}]\n")
    ran = world.cli("validate")
    assert (ran.code, "shared/pack.yaml:2:" in ran.err, "did you mean `tag`" in ran.err) == (3, True, True), ran.text


def test_a_waiver_of_what_is_not_there_is_told(world: World) -> None:
    """It may be gone, or not be there yet: no error. A pack may hold in environments that one project does not have."""
    standing(world)
    extend(world, RULES + "waivers: [{rule: small, address: tag.vpi, reason: x, expires: 2999-01-01}]\n")
    for command in ("validate", "coverage"):
        told = " ".join(world.cli(command, "--format", "github").out.split())
        assert "::notice file=reconciler.yaml," in told
        assert "there is no `tag.vpi`%0Ahint: did you mean `tag.vip`?" in told
        assert "there is no `tag.vpi`" in " ".join(world.cli(command).text.split())


def test_a_waiver_that_is_over_is_told_where_nothing_breaks_its_rule(world: World) -> None:
    """Else nobody would take the line out, and the next one who breaks the rule would believe it."""
    standing(world)
    world.write("tags: {vip: {name: vip}}")
    extend(world, RULES + "waivers: [{rule: small, address: tag.vip, reason: x, expires: 2001-01-01}]\n")
    assert world.cli("apply", "--auto-approve").code == 0
    for command in ("validate", "coverage"):
        told = world.cli(command, "--format", "github")
        assert told.code == 0, told.text
        assert "::notice file=reconciler.yaml," in told.out
        assert "expired on 2001-01-01" in told.out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("deny: {kind: list, action: delete}", "say `on: [change]`"),
        ("when: plan.summary.add > 1", "say `on: [change]`"),
        ("deny: {kind: tag, unused: true}", "say `on: [account]`"),
        ("deny: {kind: tag, attribute: name}", "what is wrong with `name`"),
        ("severity: error", "`deny`, `when`, or both"),
        ("deny: {attribute: name, matches: '['}", "not a regular expression"),
        ("deny: {kind: tagg, attribute: name, matches: x}", "did you mean `tag`"),
        ("deny: {kind: tag, attribute: nam, matches: x}", "did you mean `name`"),
        ("deny: {kind: '*field', attribute: sender_url, empty: true}", "no kind that it is about has `sender_url`"),
        ("when: object.attributes.descripton == ''", "did you mean `description`"),
    ],
)
def test_rules_that_cannot_be_judged_are_errors(world: World, text: str, why: str) -> None:
    """What only a change or the account knows is asked of nothing else."""
    world.write(KEPT)
    extend(world, f"rules:\n  - id: r\n    message: Not so\n    {text}\n")
    ran = world.cli("validate")
    assert (ran.code, why in " ".join(ran.err.split())) == (3, True), ran.text


def test_the_words_of_a_rule() -> None:
    """Missing values are empty; kinds without the attribute are passed over; an expression sees typed values."""
    assert broken(rule(deny={"attribute": "description", "empty": True}), tag(), tag("b", description="x")) == [
        "tag.vip"
    ]
    assert broken(rule(deny={"attribute": "description", "empty": False}), tag("b", description="x")) == ["tag.b"]
    assert broken(rule(deny={"attribute": "description", "unless_matches": "x"}), tag()) == ["tag.vip"]
    assert broken(rule(deny={"attribute": "name", "above": 2}), tag(), tag("b")) == ["tag.vip"]
    assert broken(rule(deny={"attribute": "options", "above": 2}), tag()) == []
    assert broken(rule(when="object.attributes.options.size() > 2"), tag()) == [], "no tag has options"
    assert broken(rule(when="!has(object.attributes.options)"), tag()) == ["tag.vip"]
    assert broken(rule(when="object.attributes.description == '' && object.key == 'vip'"), tag(), tag("b")) == [
        "tag.vip"
    ]
    assert broken(rule(when="object.attributes.description.size()"), tag()) == ["tag.vip"], "neither true nor false"
    assert broken(rule(when="false).map(o, false"), tag()) == ["tag.vip"], "no expression by itself"
    assert broken(rule(when="object.key == 'x' // or so"), tag()) == []
    assert broken(rule(when="[object].exists(o, o.key == 'b')"), tag(), tag("b")) == ["tag.b"]
    assert broken(rule(when="object['attributes']['name'] == 'b'"), tag(), tag("b")) == ["tag.b"]
    assert broken(rule(when="object.kind == 'tag'", deny={"address": "tag.b*"}), tag(), tag("b")) == ["tag.b"]
    assert broken(rule(deny={"kind": "tag"}, environments=["sandbox"]), tag()) == []


def test_no_expression_takes_more_than_its_time() -> None:
    """A comprehension without end, or a dear pattern over many objects, ends with its budget, and counts as broken."""
    deep = "[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d,"
    deep += " [1,2,3,4,5,6,7,8,9].all(e, a > 0)))))"
    assert broken(rule(when=f"{deep} && object.key == 'x'"), tag()) == ["tag.vip"]
    views = [{"key": f"{number}", "text": "ab" * 60_000} for number in range(90)]
    dear = "!object.text.matches('(?:a?b?){450}[ab]{900}$' + object.key)"
    asked = [Question("object.key == '1'", None, (0, 1)), Question(f"{dear} && {dear}", None, tuple(range(90)))]
    first, second = evaluate(asked, {"objects": views, "weekday": "monday", "now": ""}, seconds=1)
    assert first == [False, True]
    assert "1 s of computing" in str(second)


def test_no_expression_takes_the_time_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands behind one that takes more than it may is judged; so are patterns."""
    monkeypatch.setattr("reconciler.workflow.rules.evaluating.EACH", 1)
    views = [{"key": f"{number}", "text": "ab" * 60_000} for number in range(90)]
    dear = "object.text.matches('(?:a?b?){450}[ab]{900}$' + object.key)"
    asked = [Question(f"{dear} && {dear}", None, tuple(range(90))), Question("object.key == '1'", None, (0, 1))]
    first, second = evaluate(asked, {"objects": views, "weekday": "monday", "now": ""}, seconds=2)
    assert "1 s of computing" in str(first)
    assert second == [False, True]
    monkeypatch.setattr("reconciler.model.patterns.STEPS", 4_000)
    monkeypatch.setattr("reconciler.model.patterns.SearchBudget.__init__.__defaults__", (4_000, None))
    rules = [
        rule(deny={"attribute": "name", "matches": pattern}).model_copy(update={"id": pattern}) for pattern in DEAR
    ]
    found = breaches(Rules(tuple(rules)), "declaration", [tag("v" * 10)], "prod", NOW, in_process)
    assert [(one.rule.id, one.address) for one in found] == [(DEAR[0], ""), (DEAR[1], "tag.vvvvvvvvvv")]


DEAR = ("[ab]{300}", "^v")


def test_one_process_evaluates_for_all_plans_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many plans there are; one that died, or belongs to who forked us, is not asked any more."""
    started: list[int] = []
    real = subprocess.Popen

    def noted(*given: Any, **more: Any) -> Any:
        process = real(*given, **more)
        started.append(process.pid)
        return process

    monkeypatch.setattr("reconciler.store.programs.subprocess.Popen", noted)
    evaluating().close()

    def asked(key: str) -> list[Any]:
        question = Question("object.key == 'b'", None, (0,))
        return list(evaluate([question], {"objects": [{"key": key}], "weekday": "monday", "now": ""}))

    assert [asked(key) for key in "abab"] == [[[False]], [[True]], [[False]], [[True]]]
    assert len(started) == 1
    os.killpg(started[0], signal.SIGKILL)
    os.waitid(os.P_PID, started[0], os.WEXITED | os.WNOWAIT)
    assert asked("b") == [[True]]
    assert len(started) == 2
    of_another = evaluating()._process
    monkeypatch.setattr(evaluating(), "_owner", 0)
    assert asked("b") == [[True]]
    assert len(started) == 3
    assert of_another is not None
    assert of_another.poll() is None
    of_another.communicate()
    evaluating().close()


def test_many_rules_over_many_objects_are_cheap() -> None:
    """20 rules over 10,000 objects: each expression is compiled once, sees what it asks for only, and is asked once of
    those that are alike in that. Counted here; the time is in the benchmarks.
    """
    asked: list[int] = []

    def counting(
        questions: Sequence[Question], values: Mapping[str, Any]
    ) -> list[ExpressionValue | list[ExpressionValue]]:
        asked.extend(len(one.objects or ()) for one in questions)
        return [[False] * len(one.objects or ()) for one in questions]

    objects = [tag(f"t{number}", description=f"owner: {number % 7}") for number in range(1_000)]
    held = Rules(
        tuple(rule(when=f"object.attributes.description == '{n}'").model_copy(update={"id": f"r{n}"}) for n in range(3))
    )
    assert breaches(held, "declaration", objects, "prod", NOW, counting) == []
    assert asked == [7, 7, 7]


STARTED = """
include:
  - {source: "pack:starter@1", variables: {hosts: ["*.acme.example"], tag_pattern: "^[a-z]", most_options: 2}}
"""
UNTIDY = """
tags:
  vip: {name: VIP}
  tidy: {name: tidy, description: "Bought something. Owner: Jane"}
fields:
  plan: {title: Plan, type: dropdown, options: [a, b, c]}
webhooks:
  w: {name: W, url: "https://evil.example/x", events: [deal_add], sources: [api]}
"""


def test_the_pack_that_comes_along_is_useful_on_the_first_day(world: World) -> None:
    """Each of its rules finds what it is about, in an account that nobody declared; a tidy object breaks none."""
    world.write(UNTIDY)
    world.apply()
    world.account.rows.put("contacts", "1", {"id": "1", "email": "a@acme.example"})
    world.account.rows.put("contactTags", "1", {"id": "1", "contact": "1", "tag": world.rows("tags")[-1]["id"]})
    extend(world, STARTED)
    rows = json.loads(world.cli("coverage", "--format", "gitlab").out)
    found = {(row["check_name"].removeprefix("rule-"), row["description"].partition(":")[0]) for row in rows}
    carried = "tag.vip" if world.rows("tags")[-1]["tag"] == "VIP" else "tag.tidy"
    unused = ({"tag.vip", "tag.tidy"} - {carried}).pop()
    assert {one for one in found if one[1].startswith(("tag.", "field.", "webhook."))} == {
        ("webhook-hosts", "webhook.w"),
        ("tag-names", "tag.vip"),
        ("tag-descriptions", "tag.vip"),
        ("tag-owners", "tag.vip"),
        ("field-descriptions", "field.plan"),
        ("field-groups", "field.plan"),
        ("field-options", "field.plan"),
        ("unused-tags", unused),
    }
    world.account.seed({"tags": [{"tag": "Loose", "tagType": "contact"}]})
    rows = json.loads(world.cli("coverage", "--format", "gitlab").out)
    loose = {row["location"]["path"] for row in rows if row["description"].startswith("tag.loose:")}
    assert loose == {"reconciler.yaml"}, "what nobody declares is shown where the pack is included"
    assert world.cli("validate").code == 7
