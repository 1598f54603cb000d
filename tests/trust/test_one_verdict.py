"""Whoever judges a plan comes to the same verdict: `plan`, `ci guard` and `apply FILE`, for random plans and limits."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reconciler.config import load_project
from reconciler.workflow.opening.trusted_limits import ruled_by
from tests.world import World, new_world

TAGS = [f"t{n}" for n in range(14)]
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_deletes": st.integers(0, 6),
        "max_delete_percent": st.integers(0, 60),
        "max_records_lost": st.integers(0, 3),
        "records_moved": st.integers(0, 3),
        "unmanaged_lost": st.integers(0, 2),
        "max_requests": st.integers(40, 60),
        "allow_list_deletes": st.booleans(),
        "allow": st.lists(
            st.sampled_from(
                ["max_deletes=4", "max_records_lost=2", "unmanaged_lost=1", "records_moved=1", "list_deletes=list.news",
                 "max_delete_percent=tag:5", "max_records_lost=unknown", "empty_configuration"]
            ),
            max_size=4,
            unique=True,
        ),
    },
)  # fmt: skip
CHANGES = st.fixed_dictionaries(
    {
        "managed": st.sets(st.sampled_from(TAGS), min_size=8),
        "kept": st.sets(st.sampled_from(TAGS)),
        "strangers": st.sets(st.sampled_from(["s0", "s1", "s2", "s3", "s4", "s5"])),
        "tagged": st.integers(0, 4),
        "pipeline": st.sampled_from(["kept", "gone", "moved", "absent"]),
        "by_hand": st.integers(0, 2),
        "deals": st.integers(0, 3),
        "list": st.sampled_from(["kept", "gone", "absent"]),
        "destroy": st.booleans(),
    }
)


def _pipelines(how: str) -> dict[str, Any]:
    stages: dict[str, Any] = {"lead": {"title": "Lead"}, "won": {"title": "Won"}}
    other: dict[str, Any] = {"first": {"title": "First"}}
    if how == "moved":
        other["lead"] = stages.pop("lead")
    found = {"other": {"title": "Other", "currency": "eur", "stages": other}}
    if how != "gone":
        found["sales"] = {"title": "Sales", "currency": "usd", "stages": stages}
    return {"pipelines": found}


def _config(tags: set[str], pipeline: str, with_list: bool, *, strangers: set[str], after: bool) -> str:
    content: dict[str, Any] = {"tags": {name: {} for name in sorted(tags | strangers)}}
    if pipeline != "absent":
        content |= _pipelines(pipeline if after else "kept")
        if after and pipeline == "moved":
            content["moved"] = [{"from": "stage.sales.lead", "to": "stage.other.lead"}]
    if with_list:
        news = {"name": "News", "string_id": "news", "sender_url": "https://a.example", "sender_reminder": "R"}
        content["lists"] = {"news": news}
    return yaml.safe_dump(content)


def _seed(world: World, case: dict[str, Any]) -> None:
    world.account.seed({"tags": [{"tag": name, "tagType": "contact"} for name in sorted(case["strangers"])]})
    tag = world.rows("tags")[0]["id"]
    people = range(1, case["tagged"] + 1)
    world.account.seed({"contacts": [{"id": str(n), "email": f"c{n}@example.com"} for n in people]})
    world.account.seed({"contactTags": [{"contact": str(n), "tag": tag} for n in people]})
    if case["pipeline"] != "absent":
        stage = next(row for row in world.rows("dealStages") if row["title"] == "Lead")
        where = {"stage": stage["id"], "group": stage["group"]}
        world.account.seed({"deals": [{**where, "title": f"D{n}"} for n in range(case["deals"])]})
        extra = [{"title": f"By hand {n}", "group": stage["group"]} for n in range(case["by_hand"])]
        world.account.seed({"dealStages": extra})


def _prepared(world: World, case: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    with_list = case["list"] != "absent"
    world.write(_config(case["managed"], case["pipeline"], with_list, strangers=set(), after=False))
    world.apply()
    _seed(world, case)
    world.write(
        _config(
            case["managed"] & case["kept"],
            case["pipeline"],
            case["list"] == "kept",
            strangers=case["strangers"],
            after=True,
        )
    )
    project = yaml.safe_load((world.folder / "reconciler.yaml").read_text())
    for name, limits in (("reconciler.yaml", mine), ("theirs.yaml", theirs)):
        project["environments"]["demo"]["guards"] = limits
        world.write(yaml.safe_dump(project), name)


def _verdicts(text: str) -> list[tuple[str, str, str]]:
    return sorted((one["name"], one["verdict"], one["override"]) for one in json.loads(text)["guards"])


def _the_same(case: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> tuple[int, int]:
    """Return the exit codes of the plan under both limits, after having seen everybody agree with them."""
    with tempfile.TemporaryDirectory() as folder, new_world(Path(folder)) as world:
        _prepared(world, case, mine, theirs)
        destroy = ["--destroy"] if case["destroy"] else []
        borders = ["--guards-from", "file:theirs.yaml"]
        mark = ruled_by(load_project(Path(folder)), "demo", "file:theirs.yaml")[1].mark
        destroy += ["--allow", f"environment_changed={mark}"]  # that the limits differ is said yes to
        own = world.cli("plan", *destroy, "--format", "json", "--out", "own.json")
        under = world.cli("plan", *destroy, "--format", "json", "--out", "under.json", *borders)
        assert {own.code, under.code} <= {0, 7}, own.text + under.text
        said = _verdicts(under.out)
        # Whoever made it, the plan is the same, and so is what the same limits say of it.
        for name in ("own.json", "under.json"):
            guard = world.cli("ci", "guard", name, *borders)
            assert guard.code == under.code, (name, said, guard.text)
        assert world.cli("ci", "guard", "under.json", "--guards-from", "file:reconciler.yaml").code == own.code
        world.forget()
        for name, more, code in (("under.json", [], own.code), ("own.json", borders, under.code)):
            if code == 7:
                ran = world.cli("apply", name, *more)
                assert ran.code == 7, (name, said, ran.text)
        assert not world.writes()
        judged = (("own.json", borders, under.code), ("under.json", list[str](), own.code))
        passing = [(name, more) for name, more, code in judged if code == 0]
        if passing:
            ran = world.cli("apply", passing[0][0], *passing[0][1])
            assert ran.code == 0, (said, ran.text)
        return own.code, under.code


@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])
@given(CHANGES, LIMITS, LIMITS)
def test_plan_guard_and_apply_agree(case: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Judged by the limits of the project and by those of somewhere else, before and after it was saved."""
    assert set(_the_same(case, mine, theirs)) <= {0, 7}


@pytest.mark.prove
@settings(max_examples=400)
@given(CHANGES, LIMITS, LIMITS)
def test_plan_guard_and_apply_agree_at_length(
    case: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """The same, for many more."""
    assert set(_the_same(case, mine, theirs)) <= {0, 7}


def test_adopting_strangers_does_not_water_down_the_share(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    """Ten tags; four are declared and thirty strangers with them: six of ten go, not six of forty."""
    world.write("tags: {" + ", ".join(f"t{n}: {{}}" for n in range(10)) + "}")
    world.apply()
    world.account.seed({"tags": [{"tag": f"s{n}", "tagType": "contact"} for n in range(30)]})
    names = [*(f"t{n}" for n in range(4)), *(f"s{n}" for n in range(30))]
    world.write("tags: {" + ", ".join(f"{name}: {{}}" for name in names) + "}")
    project = (world.folder / "reconciler.yaml").read_text()
    world.write(project, "theirs.yaml")
    world.write(
        project.replace("account.db\n", "account.db\n    guards: {max_delete_percent: 100}\n"), "reconciler.yaml"
    )
    assert world.cli("plan", "--out", "p.json").code == 0
    world.forget()
    borders = ("--guards-from", "file:theirs.yaml")
    for command in (("plan", *borders), ("ci", "guard", "p.json", *borders), ("apply", "p.json", *borders)):
        ran = world.cli(*command)
        assert ran.code == 7, ran.text
        assert "6 of 10 objects of the kind tag" in " ".join(ran.text.split())
    assert not world.writes()


def test_a_plan_of_its_own_limits_is_judged_when_it_is_applied(world: World) -> None:
    """The project file is tightened between plan and apply: the plan is held to it."""
    world.write("tags: {a: {}, b: {}, c: {}}")
    world.apply()
    world.write("tags: {a: {}}")
    assert world.cli("plan", "--out", "p.json").code == 0
    project = (world.folder / "reconciler.yaml").read_text()
    world.write(project.replace("account.db\n", "account.db\n    guards: {max_deletes: 1}\n"), "reconciler.yaml")
    world.forget()
    assert world.cli("apply", "p.json").code == 7
    assert not world.writes()
