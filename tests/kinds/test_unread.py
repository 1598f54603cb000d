"""An attribute that is read from a listing beside the one with the objects: where that cannot be read, it is told, and
never taken for empty.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import yaml

from reconciler.engine.refresh import refresh
from reconciler.model.kind import Kind
from reconciler.model.live import Tables, Unknown
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.resources import load_kinds
from tests.quirks.strange import Strange
from tests.world import World
from tests.world.accounts import hold
from tests.world.project import PROJECT, Ran

KINDS = load_kinds()
FAILURES: dict[str, Any] = {
    "refused": 403,
    "missing": 404,
    "broken": 500,
    "a null row": lambda key: {key: [None]},
    "an empty row": lambda key: {key: [{}]},
    "a row of an id": lambda key: {key: [{"id": "1"}]},
    "a list for a row": lambda key: {key: [[]]},
    "no listing": lambda key: {"message": "no"},
}
ACCOUNT: dict[str, Any] = {
    "/lists": {"lists": [{"id": "1", "name": "News"}]},
    "/dealGroups": {"dealGroups": [{"id": "1", "title": "Sales", "stages": []}], "dealStages": []},
    "/users": {"users": [{"id": "5", "email": "ann@acme.example"}]},
    "/groups": {"groups": [{"id": "4", "title": "Sales"}]},
    "/taskOutcomes": {"taskOutcomes": [{"id": "1", "title": "Done"}]},
    "/fields": {"fields": [{"id": "1", "title": "Plan", "options": ["7"], "relations": ["8"]}]},
    "/groupDefinitions": {"groupDefinitions": [{"id": "9", "type_id": 1, "label": "Shop"}]},
    "/audiences": {"data": [{"id": "3", "attributes": {"name": "Buyers"}}]},
}
BESIDE = [
    ("list", "user_groups", "/listGroups", "listGroups"),
    ("pipeline", "users", "/dealGroupUsers", "dealGroupUsers"),
    ("pipeline", "user_groups", "/dealGroupGroups", "dealGroupGroups"),
    ("user", "group", "/groups/4/userGroups", "userGroups"),
    ("task_outcome", "task_types", "/tasktypeOutcomeRels", "tasktypeOutcomeRels"),
    ("field", "options", "/fields/1/options", "fieldOptions"),
    ("field", "lists", "/fields/1/relations", "fieldRels"),
    ("field", "group", "/groupMembers", "groupMembers"),
    ("field_group", "fields", "/groupMembers", "groupMembers"),
    ("segment", "groups", "/segmentsV2/3", "data"),
]
WELL = {
    ("field", "options", "a row of an id"),
    ("field", "lists", "a row of an id"),
    ("segment", "groups", "a row of an id"),
    ("segment", "groups", "an empty row"),
}


def _seen(kind: str, answers: dict[str, Any]) -> Snapshot:
    reads = {kind: frozenset(KINDS[kind].attributes)}
    return snapshot(KINDS, reads, asyncio.run(refresh(Strange({**ACCOUNT, **answers}), KINDS, reads)).tables)


@pytest.mark.parametrize(
    ("kind", "attribute", "path", "key", "failure"),
    [
        (*beside, failure)
        for beside in BESIDE
        for failure in FAILURES
        if (beside[0], beside[1], failure) not in WELL  # of these a row with nothing else says enough
    ],
)
def test_what_could_not_be_read_is_unread_and_not_empty(
    kind: str, attribute: str, path: str, key: str, failure: str
) -> None:
    """However a listing fails: the objects are there, none has a value of it, and the reason is known."""
    answer = FAILURES[failure]
    seen = _seen(kind, {path: answer(key) if callable(answer) else answer})
    (live,) = seen.lives[kind]
    assert attribute not in live.attrs
    unread = seen.unread[kind][attribute]
    assert live.id in unread.ids
    assert unread.reason


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_listing_beside_the_objects_says_what_it_feeds(kind: Kind) -> None:
    """Of all kinds: each further listing names attributes of the kind, or nothing of the kind is read without it."""
    every = frozenset({*kind.attributes, *kind.variants})
    for collection in kind.needs(every)[1:]:
        without = Tables(unknown={collection.name: Unknown("refused")})
        known = {*kind.attributes, *kind.variants}
        assert set(collection.feeds) & known or kind.unreadable(without), collection.path


LIST = {
    "name": "News",
    "sender_url": "https://acme.example",
    "sender_reminder": "You signed up.",
    "user_groups": [{"id": "3"}],
}
TWO_ENVIRONMENTS = PROJECT.replace("default_env", '  b: {url: "emulator:state/b.db"}\ndefault_env')
COMMANDS = {
    "plan": ("plan",),
    "drift": ("drift",),
    "apply": ("apply", "--auto-approve"),
    "destroy": ("plan", "--destroy"),
    "export": ("export", "--out", "copy"),
    "coverage": ("coverage",),
    "explain": ("explain", "list.news"),
    "snapshot": ("snapshot", "--out", "account.json"),
    "plan in JSON": ("plan", "--format", "json"),
    "plan in HTML": ("plan", "--format", "html"),
    "coverage in JSON": ("coverage", "--format", "json"),
    "compare in JSON": ("compare", "demo", "demo", "--format", "json"),
    "compare": ("compare", "demo", "demo"),
}
OTHERS = {
    "compare in Markdown": ("compare", "demo", "demo", "--format", "markdown"),
    "plan in Markdown": ("plan", "--format", "markdown"),
    "drift in JSON": ("drift", "--absorb", "--format", "json"),
    "rehearsal in JSON": ("rehearse", "--format", "json"),
    "handbook": ("handbook", "--no-counts", "--out", "handbook"),
    "clone of it": ("clone", "--from", "demo", "--to", "b", "--dry-run"),
    "clone into it": ("clone", "--from", "b", "--to", "demo", "--dry-run"),
    "promotion of it": ("promote", "--from", "demo", "--to", "b", "--dry-run"),
    "promotion into it": ("promote", "--from", "b", "--to", "demo", "--dry-run"),
    "undo": ("undo", "--auto-approve"),
}


@pytest.mark.parametrize("switch", ["forbidden", "missing"])
def test_no_command_that_reads_is_silent_about_it(world: World, switch: str) -> None:
    """The groups of lists cannot be read: each command says so, with the listing, and ends with the code as before."""
    world.write({"lists": {"news": LIST}})
    world.apply()
    codes = {name: world.cli(*line).code for name, line in COMMANDS.items() if name != "destroy"}
    world.behave(**{switch: ("listGroups",)})
    for name, line in COMMANDS.items():
        ran = check_told(world, name, line)
        if name in codes and name not in ("export", "snapshot"):
            assert ran.code == codes[name], name


def check_told(world: World, name: str, line: tuple[str, ...]) -> Ran:
    """Run a command, which has to say what could not be read and where."""
    ran = world.cli(*line)
    text = ran.text.replace("\\", "")  # Markdown has them before signs of its own
    assert "user_groups" in text, f"{name}: {ran.text}"
    assert "/listGroups" in text, f"{name}: {ran.text}"
    return ran


def test_no_command_about_two_accounts_or_copies_is_silent_about_it(world: World) -> None:
    """Whichever side it is on, and in every form that such a command has."""
    world.write(TWO_ENVIRONMENTS, "reconciler.yaml")
    with hold(world.folder / "state/b.db", world.account.settings):
        world.write({"lists": {"news": LIST}})
        world.apply()
        world.behave(forbidden=("listGroups",))
        for name, line in OTHERS.items():
            assert check_told(world, name, line).code == (7 if name == "undo" else 0), name


SHOP = {
    "settings": {"site_tracking": {"enabled": True}},
    "tags": {"vip": {"name": "VIP"}},
    "fields": {"size": {"title": "Size", "type": "dropdown", "options": ["S", "M"]}},
    "field_groups": {"shop": {"label": "Shop", "object": "contact", "fields": ["size"]}},
    "segments": {
        "buyers": {
            "groups": [{"conditions": [{"object": "tag", "fields": [{"name": "tagid", "value": {"ref": "tag.vip"}}]}]}]
        }
    },
}


def test_a_rehearsal_takes_nothing_unread_for_empty(world: World) -> None:
    """Members of field groups, the conditions of a segment, a setting: the copy shows the same plan."""
    world.write(SHOP)
    world.apply()
    (segment,) = json.loads(world.cli("state", "list", "segment.*", "--format", "json").out)
    world.behave(forbidden=("groupMembers", "siteTracking", f"segmentsV2/{segment['id']}"))
    world.write({**SHOP, "tags": {"vip": {"name": "VIP"}, "more": {}}})
    assert world.plan().lines == ["create tag.more"]
    assert world.cli("export").code in (0, 4)
    assert world.plan().lines == ["create tag.more"]
    assert yaml.safe_load((world.folder / "config/main.yaml").read_text())["field_groups"] == SHOP["field_groups"]
    ran = world.cli("rehearse")
    assert ran.code == world.cli("plan").code == 4, ran.text  # a setting is an object of its own
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in ran.text, ran.text
    assert "/groupMembers" in ran.text, ran.text
    world.cli("state", "rm", "segment.*")
    left_out = next(line for line in world.cli("export", "--out", "copy").err.splitlines() if segment["id"] in line)
    assert "`groups` could not be read" in left_out


def test_what_nobody_declares_is_no_warning(world: World) -> None:
    """A key that may not read who sees a pipeline plans pipelines without a word: nothing hangs on it."""
    world.write({"pipelines": {"sales": {"title": "Sales", "currency": "eur", "stages": {"lead": {}}}}})
    world.apply()
    world.behave(forbidden=("dealGroupUsers", "dealGroupGroups", "listGroups"))
    assert json.loads(world.cli("plan", "--format", "json").text.split("\n", 1)[1])["warnings"] == []


def test_a_setting_that_cannot_be_read_is_not_forgotten(world: World) -> None:
    """One of the settings is refused, the others are read: it stays in the state, and drift sees no end of it."""
    world.write({"settings": {"branding": {"site_name": "Acme"}}})
    world.apply()
    world.behave(forbidden=("brandings",))
    assert "no longer in the account" not in world.cli("drift").text
    world.write({"tags": {"vip": {}}})
    ran = world.cli("apply", "--auto-approve")
    assert "setting.branding" in ran.text
    assert "setting.branding" in world.cli("state", "list").text


def test_rows_of_their_own_are_not_written_where_they_are_not_known(world: World) -> None:
    """A list whose groups cannot be read is declared with another one: a write could make one twice."""
    world.write({"lists": {"news": LIST}})
    world.apply()
    world.behave(forbidden=("listGroups",))
    world.write({"lists": {"news": {**LIST, "user_groups": [{"id": "1"}]}}})
    ran = world.cli("plan")
    assert "could make one twice" in ran.text
    assert world.cli("apply", "--auto-approve").code != 0


WRITERS = {
    "an export": ("export",),
    "an import of the same object": ("import", "list.news", "1"),
    "an apply of something else": ("apply", "--auto-approve"),
    "an absorption": ("drift", "--absorb"),
    "an undo": ("undo", "--auto-approve"),
    "a clone": ("clone", "--from", "b", "--to", "demo", "--auto-approve"),
    "a promotion": ("promote", "--from", "b", "--to", "demo"),
}
BINDERS = ("an export", "an import of the same object", "a promotion")
"""Of these, what writes nothing into the object or its state beside."""


@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_applied_stays_known_while_it_cannot_be_read(world: World, writer: str) -> None:
    """Whichever command writes the state meanwhile, and whatever the files say by then: an edit that nothing applied is
    no value that was applied.
    """

    def declare(name: str, group: str = "Admin", key: str = "newer") -> None:
        world.write({"lists": {"news": {**LIST, "name": name, "string_id": key, "user_groups": [{"name": group}]}}})

    world.write(TWO_ENVIRONMENTS, "reconciler.yaml")
    with hold(world.folder / "state/b.db", world.account.settings):
        declare("Newer", key="news")
        assert world.cli("-e", "b", "apply", "--auto-approve").code == 0
        for name in ("Older", "News"):
            declare(name)
            world.apply()
        before = world.state().resources["list.news"]
        world.behave(forbidden=("listGroups",))
        declare("Newest") if "apply" in writer else declare("News", "Clients")
        if writer == "an absorption":
            world.account.rows.put("lists", "1", {**world.rows("lists")[0], "name": "Changed there"})
        ran = world.cli(*WRITERS[writer])
    assert ran.code == 0, ran.text
    assert writer in BINDERS[1:2] or "user_groups" in ran.text, ran.text
    after = world.state().resources["list.news"]
    assert after.applied["user_groups"] == before.applied["user_groups"], ran.text
    assert after.id == before.id
    assert writer in BINDERS or after.applied != before.applied, ran.text


def test_a_copy_of_another_account_releases_nothing(world: World) -> None:
    """A clone writes what the source has; what the target's own files declared beside, and how they protect it, stays
    known, so that drift of it still shows.
    """
    world.write(TWO_ENVIRONMENTS, "reconciler.yaml")
    with hold(world.folder / "state/b.db", world.account.settings):
        world.write({"tags": {"vip": {"name": "VIP"}}})
        assert world.cli("-e", "b", "apply", "--auto-approve").code == 0
        protected = {"prevent_destroy": True}
        world.write({"tags": {"vip": {"name": "vip", "description": "Ours", "lifecycle": protected}}})
        world.apply()
        assert world.cli("clone", "--from", "b", "--to", "demo", "--auto-approve").code == 0
    binding = world.state().resources["tag.vip"]
    assert (binding.applied["name"], binding.applied["description"]) == ("VIP", "Ours")
    assert binding.prevent_destroy
