"""Undo: the plan of a run's inverse brings the account back to what it was, but for what the plan says is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model import values
from reconciler.model.values import RemoteId, Value
from reconciler.store.file import FileBlobStore
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.undoing import inverse_of
from tests.loosely import loosely
from tests.properties.configurations import Config, configurations
from tests.properties.convergence import strangers
from tests.properties.test_crashes import AFTER, BEFORE
from tests.store.test_crash_matrix import CONFIG
from tests.world import World, new_world

IGNORED = {"id", "cdate", "udate", "created_timestamp", "updated_timestamp", "links"}

tags = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    st.fixed_dictionaries({}, optional={"description": st.sampled_from(["one", "two", ""])}),
    max_size=4,
)
stages = st.lists(st.sampled_from(["lead", "talk", "won", "lost"]), min_size=1, max_size=4, unique=True)
pipelines = st.dictionaries(st.sampled_from(["sales", "care"]), st.fixed_dictionaries({"stages": stages}), max_size=2)
fields = st.dictionaries(
    st.sampled_from(["tier", "size"]),
    st.fixed_dictionaries(
        {"options": st.lists(st.sampled_from(["Free", "Pro", "Max"]), min_size=1, max_size=3, unique=True)},
        optional={"description": st.sampled_from(["first", "second"])},
    ),
    max_size=2,
)
accounts = st.fixed_dictionaries({"tags": tags, "pipelines": pipelines, "fields": fields})


def declared(drawn: dict[str, Any]) -> dict[str, Any]:
    """A configuration of what was drawn."""
    return {
        "tags": {key: {"name": key.upper(), **attrs} for key, attrs in drawn["tags"].items()},
        "fields": {
            key: {"title": key.title(), "type": "dropdown", "lists": "all", **attrs}
            for key, attrs in drawn["fields"].items()
        },
        "pipelines": {
            key: {
                "title": key.title(),
                "currency": "usd",
                "stages": {stage: {"title": stage.title()} for stage in attrs["stages"]},
            }
            for key, attrs in drawn["pipelines"].items()
        },
    }


def canonical(world: World) -> list[str]:
    """The account without ids and times: names in place of references."""
    dump = world.dump()
    pipelines = {row["id"]: row["title"] for row in dump.get("dealGroups", [])}
    fields = {row["id"]: row["title"] for row in dump.get("fields", [])}
    found = [f"tag {row['tag']} {row.get('description') or ''}" for row in dump.get("tags", [])]
    found += [f"pipeline {row['title']} {row['currency']}" for row in dump.get("dealGroups", [])]
    found += [f"field {row['title']} {row['type']} {row.get('descript') or ''}" for row in dump.get("fields", [])]
    for owner, name in sorted(pipelines.items(), key=lambda item: item[1]):
        mine = [row for row in dump.get("dealStages", []) if row["group"] == owner]
        mine.sort(key=lambda row: int(row["order"]))
        found.append(f"stages of {name}: {[row['title'] for row in mine]}")
    for owner, name in sorted(fields.items(), key=lambda item: item[1]):
        mine = [row for row in dump.get("fieldOptions", []) if str(row["field"]) == str(owner)]
        mine.sort(key=lambda row: int(row["orderid"]))
        found.append(f"options of {name}: {[row['value'] for row in mine]}")
    return sorted(found)


def check_undone(folder: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Apply one configuration, then another, then undo: the account is as after the first."""
    with new_world(folder) as world:
        world.write(declared(first))
        world.apply(yes=True)
        before = canonical(world)
        world.write(declared(second))
        if world.plan().document.steps:
            world.apply(yes=True)
            world.apply(yes=True, inverse=inverse_of(world.session(), None))
        assert canonical(world) == before


@settings(max_examples=20)
@given(accounts, accounts)
def test_an_undone_change_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """For any two configurations: apply(A), apply(B), undo is apply(A), ids and customers' values apart."""
    check_undone(tmp_path_factory.mktemp("undo"), first, second)


@pytest.mark.prove
@given(accounts, accounts)
def test_many_undone_changes_leave_no_trace(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """The same over a thousand pairs."""
    check_undone(tmp_path_factory.mktemp("undo"), first, second)


def attributes_of(world: World) -> dict[str, str]:
    """Every attribute of the managed objects that has a value, as the program reads it: by address, without ids. The
    order of what is not a stage is a number that the account gives.
    """
    lives = world.plan(uses=False, impact=False).inner.inputs.snapshot.lives
    known = {RemoteId(one.kind, one.id): address for address, one in world.state().resources.items()}

    def shown(value: Value) -> str:
        def named(leaf: Value) -> Value:
            return known.get(leaf, leaf.kind) if isinstance(leaf, RemoteId) else leaf

        plain = values.encode(values.transform(value, named))
        several = isinstance(value, list) and all(isinstance(one, RemoteId) for one in value)
        return json.dumps(sorted(loosely(plain)) if several else plain, sort_keys=True)

    return {
        f"{known[RemoteId(kind, live.id)]}.{name}": shown(value)
        for kind, rows in lives.items()
        for live in rows
        for name, value in live.attrs.items()
        if RemoteId(kind, live.id) in known
        and (name != "order" or kind == "stage")
        and shown(value) not in ("null", "[]", "{}", '""')
    }


def check_all_undone(folder: Path, first: Config, second: Config) -> None:
    """Apply one configuration of many kinds, then another, then undo: what is not as before is listed as lost."""
    with new_world(folder, project=LAX) as world:
        first, second = ({key: _escaped(one) for key, one in config.items()} for config in (first, second))
        world.write(first)
        world.apply(yes=True)
        before = attributes_of(world)
        world.write(second)
        if not world.plan().document.steps:
            return
        world.apply(yes=True)
        inverse = inverse_of(world.session(), None)
        if inverse.addresses:
            world.apply(yes=True, inverse=inverse)
        world.write(first)
        after = attributes_of(world)
        lost = "\n".join(inverse.lost)
        kept = {f"{address}.{name}" for address, name in re.findall(r"(\S+): the value that `([\w.]+)`", lost)}
        gone = tuple(f"{address}." for address in re.findall(r"(\S+) was deleted, and cannot be made", lost))
        left = {f"{address}.{name}" for address, name in re.findall(r"(\S+) by its `(\w+)`", lost)}
        different = {
            name: (before.get(name), after.get(name))
            for name in (before.keys() | after.keys()) - kept - left
            if before.get(name) != after.get(name) and not name.startswith(gone or ("none",))
        }
        assert not different, f"{different}\n{lost}"


def _escaped(value: Any) -> Any:
    return json.loads(json.dumps(value).replace("${", "$${"))


@settings(max_examples=6)
@given(configurations(), configurations())
def test_an_undone_change_of_many_kinds_leaves_what_it_lists_as_lost(
    tmp_path_factory: pytest.TempPathFactory, first: Config, second: Config
) -> None:
    """Lists, fields with options in groups, webhooks, custom objects: all is as before but for what the plan said."""
    check_all_undone(tmp_path_factory.mktemp("undo") / "project", first, second)


@pytest.mark.prove
@given(configurations(), configurations())
def test_many_undone_changes_of_many_kinds_leave_what_they_list_as_lost(
    tmp_path_factory: pytest.TempPathFactory, first: Config, second: Config
) -> None:
    """The same over a thousand pairs."""
    check_all_undone(tmp_path_factory.mktemp("undo") / "project", first, second)


@pytest.mark.parametrize(
    ("config", "table", "name"),
    [
        ("fields: {note: {title: Note, type: text, visible: false}}", "fields", "visible"),
        ("pipelines: {sales: {title: Sales, currency: usd, all_user_groups: false}}", "dealGroups", "allgroups"),
        ("site_domains: {shop: {domain: shop.example, tracking: false}}", "urlWhitelistings", "tracking_enabled"),
    ],
)
def test_a_flag_that_the_server_sets_stays_off(world: World, config: str, table: str, name: str) -> None:
    """What is made anew says so: left out, it would be on."""
    world.write(config)
    world.apply()
    before = [row[name] for row in world.rows(table)]
    world.write("{}")
    world.apply(yes=True)
    world.apply(yes=True, inverse=inverse_of(world.session(), None))
    assert [row[name] for row in world.rows(table)] == before


TWO_TAGS = "tags: {vip: {name: VIP, description: Old}, gold: {name: Gold}}"


def test_undo_is_an_ordinary_plan(world: World) -> None:
    """It shows the inverse, names what cannot come back, touches nothing else, and can be undone itself."""
    world.write(TWO_TAGS)
    world.apply()
    world.write("tags: {vip: {name: VIP, description: New}, silver: {name: Silver}}")
    world.apply()
    planned = world.plan(inverse=inverse_of(world.session(), None))
    assert sorted(planned.lines) == ["create tag.gold", "delete tag.silver", "update tag.vip (description)"]
    assert any("tag.gold is created again under another id" in text for text in planned.document.warnings)
    ran = world.cli("undo", "--auto-approve")
    assert ran.code == 0, ran.text
    assert sorted((row["tag"], row["description"]) for row in world.rows("tags")) == [("Gold", ""), ("VIP", "Old")]
    listed = json.loads(world.cli("runs", "list", "--format", "json").out)
    assert listed[0]["operation"].startswith("undo ")
    assert world.cli("undo", listed[0]["run"], "--auto-approve").code == 0
    assert sorted(row["tag"] for row in world.rows("tags")) == ["Silver", "VIP"]


def test_undo_is_guarded_and_can_be_saved(world: World) -> None:
    """Guards judge an undo as they judge any plan; `--out` saves it for review, and `apply FILE` carries it out."""
    world.write("lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: Hi}}")
    world.apply()
    refused = world.cli("undo", "--auto-approve")
    assert refused.code == 7, refused.text
    assert world.rows("lists")
    world.write(TWO_TAGS, "config/tags.yaml")
    world.apply()
    saved = world.folder / "undo.json"
    assert world.cli("undo", "--out", str(saved)).code == 0
    assert world.rows("tags")
    ran = world.cli("apply", str(saved))
    assert ran.code == 0, ran.text
    assert world.rows("tags") == []


def test_a_sensitive_value_is_not_kept_and_told_as_lost(world: World) -> None:
    """The address of a webhook may hold a token: an undo of its change says that it cannot bring it back."""
    hook = "webhooks: {crm: {name: CRM, url: 'https://h.example/?key=%s', events: [subscribe], sources: [admin]}}"
    world.write(hook % "first-token")
    world.apply()
    world.write(hook % "second-token")
    world.apply()
    lost = inverse_of(world.session(), None).lost
    assert any("`url` had is not kept" in text for text in lost)
    records = "".join(path.read_text("utf-8") for path in (world.folder / "state").rglob("*") if path.is_file())
    assert "first-token" not in records
    assert "second-token" not in records


def test_what_was_adopted_is_forgotten_and_what_was_forgotten_is_adopted(world: World) -> None:
    """An undo of an adoption leaves the object alive and unmanaged; an undo of that takes it over again."""
    world.account.seed({"tags": [{"id": "5", "tag": "VIP", "tagType": "contact", "description": ""}]})
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    assert list(world.state().resources) == ["tag.vip"]
    world.apply(inverse=inverse_of(world.session(), None))
    assert world.state().resources == {}
    assert len(world.rows("tags")) == 1
    world.apply(inverse=inverse_of(world.session(), "latest"))
    assert world.state().resources["tag.vip"].id == "5"


def test_nothing_to_undo_is_told(world: World) -> None:
    """Without a run there is nothing to undo; an unknown name is told with where to look."""
    assert "no run to undo" in world.cli("undo").err
    assert "is not a kept run" in world.cli("undo", "2020").err


def test_options_of_an_undo_are_on_record(world: World) -> None:
    """The plan document says which run it undoes."""
    world.write(TWO_TAGS)
    world.apply()
    found = inverse_of(world.session(), "latest")
    assert PlanOptions(inverse=found).recorded()["undo"] == found.run


HOOKED = """
tags: {vip: {name: VIP}}
webhooks: {crm: {name: CRM, url: "https://h.example/?key=abc", events: [subscribe], sources: [admin]}}
"""


def test_what_needs_a_sensitive_value_is_not_made_anew_without_it(world: World) -> None:
    """A webhook without its address would be refused, and the undo with it: it is told as lost, the rest comes back."""
    world.write(HOOKED)
    world.apply()
    world.write("{}")
    world.apply(yes=True)
    ran = world.cli("undo", "--auto-approve")
    assert ran.code == 0, ran.text
    assert "webhook.crm was deleted, and cannot be made without its `url`" in " ".join(ran.out.split())
    assert [row["tag"] for row in world.rows("tags")] == ["VIP"]


def test_an_object_that_was_made_half_is_undone(world: World) -> None:
    """A field whose options were refused is there all the same: an undo of the failed run removes it."""
    world.write("fields: {tier: {title: Tier, type: dropdown, options: [Free]}}")
    world.fault("fail_before", "POST /fieldOption/bulk", times=9, status=422)
    world.apply(incomplete=True)
    assert world.rows("fields")
    world.account.faults = []
    world.apply(yes=True, inverse=inverse_of(world.session(), None))
    assert world.rows("fields") == []


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_died_can_be_undone_after_it_was_finished(world: World, nth: int, after: bool) -> None:
    """Once its journal is folded, its record says what it did: undoing the run that finished it, then it, leaves the
    account as before.
    """
    old = ", ".join(f"old{number}: {{name: Old {number}}}" for number in range(4))
    world.write(f"tags: {{{old}, gone: {{name: Gone}}}}")
    world.apply()
    before = sorted(row["tag"] for row in world.rows("tags"))
    world.write(f"tags: {{{old}, new: {{name: New}}, more: {{name: More}}}}")
    world.dies(nth, after=after)
    world.apply()
    assert {"More", "New"} < {row["tag"] for row in world.rows("tags")}
    finishing, died, _ = [run["run"] for run in json.loads(world.cli("runs", "list", "--format", "json").out)]
    for name in (finishing, died):
        found = inverse_of(world.session(), name, undone=True)
        if found.addresses:
            world.apply(yes=True, inverse=found)
    assert sorted(row["tag"] for row in world.rows("tags")) == before


FLIGHT = (
    """
    tags: {vip: {name: VIP, description: Old}, gone: {name: Gone, description: Here}}
    fields: {note: {title: Note, type: text, description: First}}
    """,
    """
    tags: {vip: {name: VIP, description: New}, fresh: {name: Fresh}}
    fields: {note: {title: Note, type: textarea, description: Second}}
    """,
)


def seen(world: World) -> list[tuple[str, ...]]:
    """The tags and fields of the account."""
    tags = [(row["tag"], row["description"]) for row in world.rows("tags")]
    return sorted([*tags, *((row["title"], row["type"], row["descript"]) for row in world.rows("fields"))])


@pytest.mark.parametrize("nth", range(1, 8))
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("how", ["managed", "adopted", "recorded late"])
def test_what_was_in_flight_when_a_run_died_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch, nth: int, after: bool, how: str
) -> None:
    """The account may have taken what was sent last, and no answer tells: the undo brings the account back if it did,
    and changes nothing there if it did not. Also where results are recorded some seconds later, and are lost.
    """
    if how == "recorded late":
        monkeypatch.setattr(FileBlobStore, "pause", 3600.0)
    world.write(FLIGHT[0])
    world.apply()
    before = seen(world)
    if how == "adopted":
        assert world.cli("state", "rm", "tag.vip", "field.note").code == 0
    world.write(FLIGHT[1])
    world.dies(nth, after=after, yes=True)
    world.apply(yes=True, inverse=inverse_of(world.session(), None, undone=True))
    assert seen(world) == before


LAX = """
version: 1
environments:
  demo:
    url: emulator:state/account.db
    guards: {max_delete_percent: 100, max_records_lost: 1000000, allow_list_deletes: true}
default_environment: demo
"""


def test_what_pointed_to_a_replaced_object_is_told_as_lost(world: World) -> None:
    """A field that nobody declares drops out of its group when that is replaced: the undo does not write it, and names
    it. One that the run wrote comes back.
    """
    group = "field_groups: {facts: {label: Facts, object: %s}}"
    mine = "deal_fields: {size: {label: Size, type: text%s}}"
    world.write(group % "deal", "config/groups.yaml")
    world.write(mine % ", group: facts")
    world.apply()
    (facts,) = [row["id"] for row in world.rows("groupDefinitions", label="Facts")]
    made = world.call(
        "POST", "/dealCustomFieldMeta", {"dealCustomFieldMetum": {"fieldLabel": "X", "fieldType": "text"}}
    )
    stranger = made["dealCustomFieldMetum"]["id"]
    world.call("POST", "/groupMembers", {"groupMember": {"rel_id": stranger, "group_id": facts}})
    world.write(mine % "")
    world.write(group % "contact", "config/groups.yaml")
    world.apply(yes=True)
    undo = world.plan(inverse=inverse_of(world.session(), None))
    (told,) = [text for text in undo.document.warnings if "pointed to field_group.facts" in text]
    assert "deal_field.size" not in told
    assert "update deal_field.size (group)" in undo.lines
    assert f"deal field `X` (id {stranger}) by its `group`" in told
    assert "any field by its `group` (not read)" in told


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        (BEFORE, AFTER, ["update webhook.sync (url)"]),
        (BEFORE, {}, ["create webhook.sync"]),
        (yaml.safe_load(CONFIG), {}, ["create webhook.crm"]),
    ],
    ids=["everything changed", "everything deleted", "every kind deleted"],
)
def test_every_kind_is_as_before(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], left: list[str]
) -> None:
    """Replaced objects get all that they had, also what nobody declared any more, in the groups that were replaced with
    them; disabled ones are enabled. Only the address of a webhook is gone, and the undo says so.
    """
    with new_world(tmp_path / "project", project=LAX) as world:
        strangers(world.account)
        world.write(first)
        world.apply()
        world.write(second)
        world.apply(yes=True)
        inverse = inverse_of(world.session(), None)
        assert any(left[0].split()[1] in text and "`url`" in text for text in inverse.lost)
        world.apply(yes=True, inverse=inverse)
        world.write(first)
        assert world.plan().lines == left


def test_a_description_that_a_run_gave_to_a_field_of_an_object_goes_again(world: World) -> None:
    """What was not there before is emptied, in the entries of a map too."""
    field = "type: text, labels: {singular: Seat, plural: Seats}"
    ticket = "custom_objects: {ticket: {slug: ticket, labels: {singular: T, plural: Ts}, fields: {seat: {%s}}}}"
    world.write(ticket % field)
    world.apply()
    world.write(ticket % f"{field}, description: Where they sit")
    world.apply()
    world.apply(inverse=inverse_of(world.session(), None))
    assert not world.rows("schemas")[0]["fields"][0].get("description")
    assert world.plan().lines == ["update custom_object.ticket (fields)"]


@pytest.mark.parametrize("saved", [True, False])
def test_an_undo_of_deletes_says_that_the_files_still_ask_for_them(world: World, saved: bool) -> None:
    """With the blocks to write: written, the plan after the undo is empty."""
    rest = "pipelines:\n  s: {title: S, currency: usd, stages: {a: {title: A}}}\n"
    world.write(
        "tags: {vip: {name: VIP, description: best}, lead: {}}\n"
        "lists: {news: {name: News, sender_url: 'https://x.example', sender_reminder: x}}\n"
        "pipelines:\n  s: {title: S, currency: usd, stages: {a: {title: A}, b: {title: B}}}\n"
    )
    assert world.cli("apply", "--auto-approve", "--quiet").code == 0
    world.write(f"tags: {{lead: {{}}}}\n{rest}")
    gone = world.cli(
        "apply", "--auto-approve", "--quiet", "--allow", "list_deletes=list.news", "--allow", "max_delete_percent=100"
    )
    assert gone.code == 0, gone.text
    ran = world.cli("undo", *(("--out", "p.json") if saved else ("--auto-approve", "--quiet")))
    assert ran.code == 0, ran.text
    told = ran.err.partition("The files still ask for the delete")[2].partition(":\n")[2]
    assert "tags:\n  vip: {name: VIP, description: best}" in told
    assert "lists:\n  news:" in told
    assert "pipelines:\n  s:\n    stages:\n      b:" in told
    assert "lead" not in told
    assert "no longer remove" not in told


def test_an_undo_says_which_removed_blocks_go_with_what_it_makes_again(world: World) -> None:
    """A declaration beside a block that removes it is an error of the files."""
    world.write("tags: {vip: {name: VIP}, lead: {}}")
    assert world.cli("apply", "--auto-approve", "--quiet").code == 0
    world.write("tags: {lead: {}}\nremoved: [{address: tag.vip, destroy: true}]")
    assert world.cli("apply", "--auto-approve", "--quiet").code == 0
    ran = world.cli("undo", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    assert "# and no longer remove `tag.vip` (config/main.yaml:2:11)\ntags:\n  vip: {name: VIP}" in ran.err
    world.write("tags: {lead: {}, vip: {name: VIP}}")
    assert world.cli("plan", "--detailed-exitcode").code == 0
