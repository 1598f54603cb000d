"""Selections on the command line: what goes along, what is refused, what asks, and what is left as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from typing import Any

import pytest

from reconciler.cli.apply import still_true
from reconciler.model.address import kind_of
from reconciler.resources import load_kinds
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planning import make_plan
from tests.trust.test_replacing import EVERYTHING, everything
from tests.world import World
from tests.world.clock import run

LINKED = """
lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}
fields: {f: {title: F, type: text, lists: [news]}}
webhooks: {w: {name: W, url: https://a.example/hook, events: [subscribe], sources: [api], list: news}}
"""
PIPELINE = """
pipelines:
  a: {title: A, currency: usd, stages: {one: {title: One}, two: {title: Two}}}
  b: {title: B, currency: usd, stages: {three: {title: Three}}}
"""


def deleted(world: World) -> list[str]:
    """Paths that were deleted, without ids."""
    return sorted(line.split("/")[1] for line in world.requests("DELETE"))


def test_a_delete_does_not_take_what_it_refers_to(world: World) -> None:
    """Only the webhook was named: the list stays."""
    world.write(LINKED)
    world.apply()
    world.forget()
    assert world.cli("destroy", "--target", "webhook.w", "--auto-approve").code == 0
    assert deleted(world) == ["webhooks"]
    assert sorted(world.state().resources) == ["field.f", "list.news"]


@pytest.mark.parametrize("command", [("destroy", "--auto-approve"), ("plan", "--destroy")])
def test_a_delete_is_refused_where_others_refer_to_it(world: World, command: tuple[str, ...]) -> None:
    """The message names who does, the hint is what to add, and following it asks for the list."""
    world.write(LINKED)
    world.apply()
    world.forget()
    ran = world.cli(*command, "--target", "list.news")
    assert ran.code == 7, ran.text
    assert "list.news would be destroyed, and field.f, webhook.w refer to it" in ran.err
    assert "add --target field.f --target webhook.w" in ran.err
    wider = [word for one in ("list.news", "field.f", "webhook.w") for word in ("--target", one)]
    asked = world.cli(*command, *wider)
    assert asked.code == 7
    assert "--allow list_deletes=list.news" in asked.out
    assert not world.writes()
    assert world.cli(*command, *wider, "--allow", "list_deletes=list.news").code == 0


def test_both_blocks_gone_and_only_one_named(world: World) -> None:
    """Taking the field out does not take the list along, which was taken out of the files as well."""
    world.write(LINKED)
    world.apply()
    world.write("tags: {t: {name: T}}")
    ran = world.cli("plan", "--target", "field.f")
    assert ran.code == 0, ran.text
    assert "1 to destroy" in ran.out
    assert "- list" not in ran.out


def test_stages_go_with_their_pipeline_and_are_named(world: World) -> None:
    """They cannot be without it; a pipeline does not go with its stage."""
    world.write(PIPELINE)
    world.apply()
    ran = world.cli("plan", "--destroy", "--target", "pipeline.a")
    assert ran.code == 0, ran.text
    assert "Goes along, for it cannot be without what goes: stage.a.one, stage.a.two." in ran.out
    assert "3 to destroy" in ran.out
    alone = world.cli("plan", "--destroy", "--target", "stage.a.one")
    assert "1 to destroy" in alone.out


def test_an_exclusion_keeps_what_the_excluded_refers_to(world: World) -> None:
    """The webhook stays, so its list does; the pipeline of a stage that stays does too."""
    world.write(LINKED + PIPELINE)
    world.apply()
    ran = world.cli("destroy", "--auto-approve", "--exclude", "webhook.w", "--exclude", "stage.a.one")
    assert ran.code == 0, ran.text
    assert "Left as it is, though it would change: list.news, pipeline.a." in ran.out
    assert sorted(world.state().resources) == ["list.news", "pipeline.a", "stage.a.one", "webhook.w"]


def test_an_object_that_would_be_made_anew_is_not_pulled_in(world: World) -> None:
    """A webhook needs its list, whose channel changed: its subscribers are nobody's side effect."""
    world.write(LINKED.replace("news: {", "news: {channel: email, "))
    world.apply()
    world.write(LINKED.replace("news: {", "news: {channel: sms, ").replace("name: W", "name: Hook"))
    ran = world.cli("plan", "--target", "webhook.w")
    assert ran.code == 7, ran.text
    assert "list.news would be destroyed and created again, and is in the plan only because others need it" in ran.err
    assert "list.news would be destroyed, and field.f refers to it" in ran.err
    assert "add --target field.f --target list.news" in ran.err


def test_an_undo_is_refused_where_a_later_object_refers_to_it(world: World) -> None:
    """What a run made has users by now: they are not part of that run."""
    world.write(LINKED.partition("fields")[0])
    assert world.cli("apply", "--auto-approve").code == 0
    first = world.session().store.run_names()[-1]
    world.write(LINKED)
    assert world.cli("apply", "--auto-approve").code == 0
    world.forget()
    ran = world.cli("undo", first, "--auto-approve", "--allow", "list_deletes=list.news")
    assert ran.code == 7, ran.text
    assert "field.f, webhook.w refer to it" in ran.err
    assert not world.writes()


def test_a_reverted_object_brings_what_it_needs(world: World) -> None:
    """The file says a list now that is not there yet: it is made first."""
    world.write("webhooks: {w: {name: W, url: https://a.example/hook, events: [subscribe], sources: [api]}}")
    world.apply()
    hook = world.rows("webhooks")[0]["id"]
    world.call("PUT", f"/webhooks/{hook}", {"webhook": {"name": "Other"}})
    world.write(LINKED.split("\n")[1] + "\n" + LINKED.split("\n")[3])
    ran = world.cli("drift", "--revert")
    assert ran.code == 0, ran.text
    assert "Also planned, for the selection needs it: list.news." in ran.out
    assert "1 to add, 1 to change" in ran.out


def test_no_delete_names_what_it_leaves(world: World) -> None:
    """Updates and creates are planned; what would go or be made anew stays, by name."""
    world.write("tags: {a: {name: A}, b: {name: B}}\nfields: {f: {title: F, type: text}}")
    world.apply()
    world.write("tags: {a: {name: A, description: d}, c: {name: C}}\nfields: {f: {title: F, type: date}}")
    ran = world.cli("apply", "--auto-approve", "--no-delete")
    assert ran.code == 0, ran.text
    assert "Left as it is, though it would change: field.f, tag.b." in ran.out
    assert not world.requests("DELETE")
    assert sorted(world.state().resources) == ["field.f", "tag.a", "tag.b", "tag.c"]


OPTIONS = "fields: {f: {title: F, type: dropdown, options: [%s]}, g: {title: G, type: dropdown, options: [q, r%s]}}"


@pytest.mark.parametrize("more", [(), ("--no-impact",)], ids=["counted", "uncounted"])
def test_no_delete_leaves_updates_that_take_something_away(world: World, more: tuple[str, ...]) -> None:
    """An option that goes takes with it what was chosen, so the update stays out, and is named; one that only adds is
    applied. Where nobody counts, what may take something away stays out.
    """
    world.write(OPTIONS % ("a, b, c", ""))
    world.apply()
    world.write(OPTIONS % ("a, b", ", z"))
    options = PlanOptions(no_delete=True, impact=not more)
    again = run(still_true(world.session(), run(make_plan(world.session(), options)), options))
    assert {change.address for change in again.document.changes} == {"field.g"}, "asked again"
    ran = world.cli("apply", "--auto-approve", "--no-delete", *more)
    assert ran.code == 0, ran.text
    assert "field.f" in ran.out.partition("Left as it is, though it would change:")[2].partition("\n")[0]
    held = [(row["field"], row["value"]) for row in world.rows("fieldOptions")]
    assert {value for _, value in held} >= {"a", "b", "c", "q", "r"}
    assert "z" in {value for _, value in held}
    assert not world.requests("DELETE")


def test_kinds_bring_what_they_need(world: World) -> None:
    """Only webhooks, and the list that one names."""
    world.write(LINKED)
    ran = world.cli("plan", "--kinds", "webhook")
    assert ran.code == 0, ran.text
    assert "2 to add" in ran.out
    assert world.cli("plan", "--kinds", "hooks").code == 3


def test_only_adopt_writes_nothing(world: World) -> None:
    """What exists as declared is taken over; what differs or is missing is named and left."""
    world.account.seed({"tags": [{"tag": "A", "tagType": "contact"}, {"tag": "B", "tagType": "contact"}]})
    world.write("tags: {a: {name: A}, b: {name: B, description: other}, c: {name: C}}")
    ran = world.cli("apply", "--auto-approve", "--only-adopt")
    assert ran.code == 0, ran.text
    assert "Left as it is, though it would change: tag.b, tag.c." in ran.out
    assert not world.writes()
    assert sorted(world.state().resources) == ["tag.a"]


def saved(world: World, *options: str) -> dict[str, Any]:
    """Save a plan, and return what it says."""
    ran = world.cli("plan", *options, "--out", "saved.json", "--allow", "all", "--format", "json")
    assert ran.code in (0, 7), ran.text
    document: dict[str, Any] = json.loads(ran.out)
    return document


def test_selections_hold_for_every_kind_and_in_saved_plans(world: World) -> None:
    """Everything is taken out of the files, and nothing of it is destroyed; nothing is known, and all that can be is
    taken over without a write. What is not done is named, of every kind, by the plan and by its saved file.
    """
    addresses = set(everything(world))
    before = world.state().resources
    files = {path: path.read_text("utf-8") for path in (world.folder / "config").glob("*.yaml")}
    for path in files:
        path.unlink()
    world.write("tags: {another: {name: Another}}")
    whole = {change["address"] for change in saved(world)["changes"]}
    document = saved(world, "--no-delete")
    done = {change["address"]: change["action"] for change in document["changes"]}
    assert done == {"tag.another": "create"} | {one: done[one] for one in done if done[one] == "forget"}
    assert {*document["options"].get("kept", []), *done} >= whole, "what is left is named"
    assert len({kind_of(one) for one in document["options"]["kept"]}) > 15
    world.forget()
    assert world.cli("apply", "saved.json").code == 0
    assert not world.requests("DELETE")
    assert {kind_of(address) for address in before} <= {kind_of(address) for address in world.state().resources}
    (world.folder / "config" / "main.yaml").unlink()
    for path, text in files.items():
        path.write_text(text, "utf-8")
    for path in (world.folder / "state").glob("demo.json*"):
        path.unlink() if path.is_file() else shutil.rmtree(path)
    whole = {change["address"] for change in saved(world)["changes"]}
    document = saved(world, "--only-adopt")
    assert {change["action"] for change in document["changes"]} == {"adopt"}
    assert {*(change["address"] for change in document["changes"]), *document["options"].get("kept", [])} >= whole
    world.forget()
    ran = world.cli("apply", "saved.json")
    assert (ran.code, world.writes()) == (0, []), ran.text
    assert {*world.state().resources, *document["options"].get("kept", [])} >= {
        one for one in addresses if one in whole
    }


def check_kinds(world: World, kinds: Iterable[str]) -> None:
    """Plan each kind of the example by itself: all of it, and besides only what it needs, by name."""
    resources = world.session().load().desired.resources
    known = load_kinds()
    for kind in kinds:
        document = saved(world, "--kinds", kind)
        planned = {change["address"] for change in document["changes"]}
        mine = {one for one in resources if kind in (kind_of(one), known[kind_of(one)].nested)}
        assert planned <= {*mine, *document["options"].get("brought", [])}, kind
        apart = {one for one in mine if kind_of(one) == kind and known[kind].abilities.managed}
        assert apart <= {*planned, *document["options"].get("kept", [])} | {
            row["address"] for row in document["skipped"]
        }


def declare_everything(world: World) -> list[str]:
    """Declare the example of all kinds for an account that holds nothing of it, and return its kinds."""
    for path in EVERYTHING.glob("*.yaml"):
        text = path.read_text("utf-8").replace("host: {description", "host: {default: acme.example, description")
        world.write(text, f"config/{path.name}")
        world.set_secrets(f"config/{path.name}")
    return sorted({kind_of(one) for one in world.session().load().desired.resources})


def test_one_kind_is_planned_with_what_it_needs(world: World) -> None:
    """Some kinds of the example; `make prove` plans all."""
    check_kinds(world, [kind for kind in declare_everything(world) if kind in ("segment", "webhook", "deal_field")])


@pytest.mark.prove
def test_every_kind_is_planned_with_what_it_needs(world: World) -> None:
    """All kinds of the example."""
    check_kinds(world, declare_everything(world))
