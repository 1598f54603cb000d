"""What is given, what is run, what is expected; how a failure is told, and how it is taken over."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config import as_yaml, with_expectations
from reconciler.model.errors import ReconcilerError
from reconciler.model.scenario import Expect, Records, Run
from reconciler.workflow.scenarios.testing import scenarios_of, verdict_of, verdicts_of
from tests.world import World

CONFIG: dict[str, Any] = {
    "tags": {"vip": {"name": "VIP", "description": "Good"}},
    "pipelines": {
        "sales": {
            "title": "Sales",
            "currency": "usd",
            "stages": {"lead": {}, "won": {"lifecycle": {"prevent_destroy": True}}},
        }
    },
}


def written(world: World, **content: Any) -> Path:
    """Write tests of a small configuration."""
    world.write(CONFIG)
    return world.write({"tests": content}, "tests/all.yaml")


def outcome(world: World, **test: Any) -> Any:
    """What came of one test that expects nothing right: the members that it names."""
    written(world, it=test)
    [one] = scenarios_of(world.folder, ())
    verdict = verdict_of(world.folder, one)
    assert verdict.error == "", verdict.error
    return dict(verdict.wanted)


EVERYTHING: dict[str, Any] = {
    name: {} if name in ("changes", "lost", "moved") else [] for name in Expect.model_fields if name != "requests"
} | {"exit_code": 99, "settled": False, "requests": {"plan": 0, "apply": 0}}


def test_every_member_is_told_as_it_is(world: World) -> None:
    """On an empty account, all of it is made."""
    found = outcome(world, run={"command": "apply"}, expect=EVERYTHING)
    changes = found.pop("changes")
    assert found == {
        "exit_code": 0,
        "lost": {},
        "moved": {},
        "guards": [],
        "policies": [],
        "order": [],
        "requests": {"plan": 4, "apply": found["requests"]["apply"]},
        "skipped": [],
        "problems": [],
        "settled": True,
    }
    assert found["requests"]["apply"] > 4
    assert list(changes) == ["tag.vip", "pipeline.sales", "stage.sales.lead", "stage.sales.won"]
    assert changes["tag.vip"] == {
        "action": "create",
        "values": {"name": "VIP", "type": "contact", "description": "Good"},
    }


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"given": {"applied": True}, "expect": {"exit_code": 1}}, {"exit_code": 0}),
        (
            {"given": {"seed": {"tags": [{"tag": "VIP", "contacts": 2}]}}, "run": {"kinds": ["tag"]}},
            {"changes": {"tag.vip": "update"}, "exit_code": 2},
        ),
        (
            {"given": {"applied": True, "drift": {"tag.vip": {"description": "Bad"}}}},
            {"changes": {"tag.vip": "update"}, "exit_code": 2},
        ),
        (
            {"given": {"applied": True, "drift": {"tag.vip": {"description": "Bad"}}}, "run": {"command": "drift"}},
            {"changes": {"tag.vip": "update"}, "exit_code": 2},
        ),
        ({"given": {"applied": True, "drift": {"tag.vip": None}}}, {"changes": {"tag.vip": "create"}}),
        (
            {
                "given": {
                    "applied": True,
                    "overlay": {"tags": {"vip": None}},
                    "records": {"tag.vip": {"contacts": 7}},
                }
            },
            {"changes": {"tag.vip": "delete"}, "lost": {"tag.vip": 7}, "guards": ["max_records_lost"], "exit_code": 7},
        ),
        (
            {
                "given": {"applied": True, "overlay": {"tags": {"vip": None}}, "records": {"tag.vip": {"contacts": 7}}},
                "run": {"allow": ["max_records_lost=7"], "command": "apply"},
            },
            {"changes": {"tag.vip": "delete"}, "lost": {"tag.vip": 7}, "guards": [], "exit_code": 0, "settled": True},
        ),
        (
            {"given": {"applied": True, "files": {"config/main.yaml": {"tags": {"vip": {"name": "Best"}}}}}},
            {"exit_code": 7, "guards": ["prevent_destroy"], "moved": {}},
        ),
        (
            {
                "given": {
                    "applied": True,
                    "files": {
                        "config/main.yaml": {
                            **CONFIG, "tags": {"best": CONFIG["tags"]["vip"]},
                            "moved": [{"from": "tag.vip", "to": "tag.best"}],
                        }
                    },
                }
            },
            {"changes": {"tag.best": "move"}, "guards": []},
        ),
        (
            {"given": {"overlay": {"tags": {"vip": {"colour": "red"}}}}},
            {"exit_code": 3, "problems": ["unknown-attribute"]},
        ),
        ({"run": {"command": "destroy"}, "given": {"applied": True}}, {"guards": ["prevent_destroy"]}),
        ({"run": {"target": ["tag.vip"]}}, {"changes": {"tag.vip": "create"}, "order": ["tag.vip"]}),
    ],
)  # fmt: skip
def test_what_is_given_and_run_is_what_happens(world: World, test: dict[str, Any], expected: dict[str, Any]) -> None:
    """A seed, an applied configuration, records, drift, an overlay, other files, options: each has its effect."""
    written(world, it={**test, "expect": expected})
    [one] = scenarios_of(world.folder, ())
    verdict = verdict_of(world.folder, one)
    if "expect" in test:
        written(world, it=test)
        assert not verdict_of(world.folder, scenarios_of(world.folder, ())[0]).passed
    assert verdict.passed, (verdict.error, verdict.lines)


def test_policies_know_the_day_and_secrets_have_values(world: World) -> None:
    """`now` is the time of rules; secrets and environment variables are the test's, never those of the process."""
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    rule = {"name": "no_fridays", "message": "No", "deny": {"weekdays": ["friday"]}}
    world.write(f"{project}\npolicies: [{json.dumps(rule)}]\nenv: [TEAM]\n", "reconciler.yaml")
    hook = {"name": "x", "url": "https://x.example/${secret.KEY}", "events": ["subscribe"], "sources": ["public"]}
    world.environ |= {"TEAM": "of the process", "KEY": "canary-key"}
    config = {"tags": {"vip": {"name": "${env.TEAM}"}}, "webhooks": {"hook": hook}}
    expect: dict[str, Any] = {"policies": [], "changes": {}}
    for now, broken in (("2026-01-09T10:00:00Z", ["no_fridays"]), ("2026-01-08T10:00:00Z", [])):
        test = {"given": {"now": now, "env": {"TEAM": "A"}}, "expect": expect}
        written(world, it=test)
        world.write(config)
        verdict = verdict_of(world.folder, scenarios_of(world.folder, ())[0])
        assert verdict.error == ""
        assert verdict.wanted["policies"] == broken
        assert verdict.wanted["changes"]["tag.vip"]["values"]["name"] == "A"
        assert verdict.wanted["changes"]["webhook.hook"]["values"]["url"] == "https://x.example/${secret.KEY}"
        assert "canary" not in str(verdict)


WRONG = [
    ("tests: {a: {expect: {exitcode: 0}}}", "1:22", "exitcode"),
    ("tests: {a: {}}", "1:9", "expects nothing"),
    ("tests: {a: {environment: prod, expect: {exit_code: 0}}}", "1:26", "there is no environment `prod`"),
    ("tests: {a: {run: {command: fly}, expect: {exit_code: 0}}}", "1:28", "command"),
    ("tests: {a: {given: {records: {tag.vip: {contacts: -1}}}, expect: {exit_code: 0}}}", "1:51", "contacts"),
    ("tests: {'a b': {expect: {exit_code: 0}}}", "1:", "a b"),
    ("- a", "1:1", "a file of tests is one map"),
    ("tests: {}", "1:", "tests"),
    ("tests: [", "2:1", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "place", "said"), WRONG)
def test_what_is_wrong_in_a_file_has_its_place(world: World, text: str, place: str, said: str) -> None:
    """Exit code 3, file, line and column, and a hint; no test is run."""
    world.write(CONFIG)
    world.write(text, "tests/all.yaml")
    ran = world.cli("test")
    assert ran.code == 3, ran.text
    assert f"tests/all.yaml:{place}" in ran.err
    assert said in " ".join(ran.err.split())
    assert "passed" not in ran.out


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"records": {"tag.vip": {"contacts": 1}}}, "say `applied: true`"),
        ({"applied": True, "records": {"tag.vip": {"deals": 1}}}, "has no deals; it has contacts"),
        ({"applied": True, "records": {"tag.other": {"contacts": 1}}}, "tag.other has no object"),
        ({"applied": True, "drift": {"tag.vip": {"colour": "red"}}}, "tag.vip has no attribute `colour`"),
        ({"seed": {"nothing": []}}, "`nothing` is not a path"),
        ({"seed": "none.yaml"}, "none.yaml cannot be read"),
        ({"now": "soon"}, "is not a time"),
    ],
)
def test_what_cannot_be_given_is_told(world: World, given_: dict[str, Any], said: str) -> None:
    """Such a test is an error, whatever it expects."""
    written(world, it={"given": given_, "expect": {"exit_code": 99}})
    verdict = verdict_of(world.folder, scenarios_of(world.folder, ())[0])
    assert said in verdict.error
    assert not verdict.passed


def test_a_test_that_takes_too_long_is_ended(world: World) -> None:
    """What it would wait for counts, and is not waited for: an account that refuses every second page takes minutes."""
    written(world, it={"run": {"command": "apply"}, "expect": {"exit_code": 0}})
    [one] = scenarios_of(world.folder, ())
    assert verdict_of(world.folder, one).passed
    assert verdict_of(world.folder, one, 1e-6).error == "it takes more than 1e-06 seconds"


def test_names_choose(world: World) -> None:
    """By name, by file, by both, with globs; a name that fits nothing is an error that lists what there is."""
    written(world, one={"expect": {"exit_code": 2}}, other={"expect": {"exit_code": 2}})
    world.write({"tests": {"one": {"expect": {"exit_code": 2}}}}, "tests/more.yaml")
    chosen = {
        pattern: [one.title for one in scenarios_of(world.folder, (pattern,))]
        for pattern in ("o*", "one", "more", "all::one", "tests/more.yaml", "tests/more.yaml::o*")
    }
    every = ["tests/all.yaml::one", "tests/all.yaml::other", "tests/more.yaml::one"]
    assert chosen == {
        "o*": every,
        "one": [every[0], every[2]],
        "more": [every[2]],
        "all::one": [every[0]],
        "tests/more.yaml": [every[2]],
        "tests/more.yaml::o*": [every[2]],
    }
    ran = world.cli("test", "nine")
    assert ran.code == 3
    assert "no test fits `nine`" in ran.err


@pytest.mark.prove
def test_processes_say_what_one_says(world: World) -> None:
    """Several at a time come to the same, in the same order."""
    names = [f"t{number}" for number in range(3)]
    written(world, **{name: {"expect": {"exit_code": 2 if name != "t1" else 0}} for name in names})
    found = scenarios_of(world.folder, ())
    alone, together = ([(one.name, one.lines) for one in verdicts_of(world.folder, found, jobs)] for jobs in (1, 2))
    assert alone == together
    assert [name for name, lines in alone if lines] == ["t1"]


def test_a_failure_is_told_in_every_form(world: World) -> None:
    """Text and JUnit hold the difference, JSON the members; the exit code is 1, and 0 where all pass."""
    written(world, good={"expect": {"exit_code": 2}}, bad={"expect": {"exit_code": 0, "guards": []}})
    ran = world.cli("test", "--format", "junit=report.xml", "--format", "json=report.json")
    assert ran.code == 1
    assert "-exit_code: 0" in ran.out
    assert "+exit_code: 2" in ran.out
    assert "2 tests: 1 passed, 1 failed." in ran.out
    root = ElementTree.fromstring((world.folder / "report.xml").read_text("utf-8"))
    [suite] = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    [failure] = suite.iter("failure")
    assert failure.get("message") == "differs in exit_code"
    rows = json.loads((world.folder / "report.json").read_text("utf-8"))
    assert [(row["name"], row["passed"], row["differing"]) for row in rows] == [
        ("good", True, []),
        ("bad", False, ["exit_code"]),
    ]
    assert world.cli("test", "good").code == 0
    assert world.requests() == []


FILE = """\
# About these tests.
tests:
  first:   # unusual, but fine
    expect:
      exit_code: 2   # gone with the block
      changes: {}
    given: {applied: false}

  # Between them.
  second:
    expect: {guards: [a], requests: {plan: 0}}

  third:
    run:
      command: plan
    expect:
      exit_code: 2
# The end.
"""


def test_update_changes_nothing_but_expectations(world: World) -> None:
    """Comments, order and what passes stay to the byte; then everything passes, and a second update changes nothing."""
    world.write(CONFIG)
    path = world.write(FILE, "tests/all.yaml")
    ran = world.cli("test", "--update")
    assert ran.code == 0, ran.text
    text = path.read_text("utf-8")
    for kept in FILE.splitlines():
        assert kept in text.splitlines() or "exit_code" in kept or "changes" in kept or "guards" in kept, kept
    assert "    expect: {guards" not in text
    assert yaml.safe_load(text)["tests"]["second"]["expect"] == {"guards": [], "requests": {"plan": 4}}
    assert world.cli("test").code == 0
    assert world.cli("test", "--update").code == 0
    assert path.read_text("utf-8") == text


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc: #'\"", max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["first", "second", "third"]),
    st.dictionaries(st.sampled_from(["exit_code", "changes", "lost"]), PLAIN, min_size=1),
)
def test_any_expectation_can_be_written(name: str, content: dict[str, Any]) -> None:
    """Whatever a plan holds stands in the file as the same data, and the rest of it stays."""
    text = with_expectations(FILE, "tests/all.yaml", {name: content})
    made, before = yaml.safe_load(text)["tests"], yaml.safe_load(FILE)["tests"]
    assert made.pop(name) == {**before.pop(name), "expect": yaml.safe_load(as_yaml(content))}
    assert made == before
    assert "# Between them." in text
    assert "# The end." in text


def test_a_test_on_one_line_is_left_alone() -> None:
    """Nothing is put into a flow map: it is reported instead."""
    with pytest.raises(ReconcilerError, match="written on one line"):
        with_expectations("tests: {a: {expect: {exit_code: 1}}}", "tests/a.yaml", {"a": {"exit_code": 2}})


def test_every_member_of_the_models_is_described() -> None:
    """Editors show what each member is about."""
    schema = textwrap.dedent(json.dumps([one.model_json_schema() for one in (Expect, Run, Records)]))
    assert all("description" in field for one in json.loads(schema) for field in one["properties"].values())
