"""`clone` and `compare`: two accounts of one project, told apart by nothing but their ids."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import Held, hold

MESS: dict[str, Any] = {
    "tags": [{"tag": "VIP", "id": 900001}, {"tag": "vip", "id": 900002}, {"tag": '50% off 😀 "x"', "id": 900003}],
    "lists": [
        {"name": "News", "id": 910001, "stringid": "news", "sender_url": "https://x.example", "sender_reminder": "r"}
    ],
    "fields": [
        {"title": "Plan", "type": "dropdown", "id": 920001, "options": ["Free", "Pro"], "relids": ["910001"]},
        {"title": "Hidden", "type": "text", "id": 920002},
    ],
    "dealGroups": [
        {"title": "Sales", "currency": "usd", "id": 930001, "stages": [{"title": "A", "id": 940001}]},
        {"title": "Sales", "currency": "eur", "id": 930002, "stages": [{"title": "A", "id": 940002}, {"title": "B"}]},
    ],
    "webhooks": [
        {
            "name": "W",
            "url": "https://h.example/x?list=910001&token=abc&tagid=900001",
            "events": ["subscribe"],
            "sources": ["public"],
            "listid": 910001,
            "id": 950001,
        }
    ],
}


class Pair:
    """A project with two environments, `a` and `b`."""

    def __init__(self, world: World, other: Held) -> None:
        self.world, self.other = world, other
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("tags: {}")

    def run(self, *argv: str) -> tuple[int, str]:
        """Run a command; return its exit code and everything it printed."""
        ran = self.world.cli(*argv)
        return ran.code, ran.text

    def differences(self) -> list[str]:
        """Return what `compare a b` finds."""
        ran = self.world.cli("compare", "a", "b", "--format", "json")
        return [f"{change['action']} {change['address']}" for change in json.loads(ran.out)["changes"]]


@pytest.fixture(name="pair")
def a_pair(tmp_path: Path) -> Iterator[Pair]:
    """Two empty accounts."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        yield Pair(world, other)


def test_a_clone_is_like_its_source_and_holds_none_of_its_ids(pair: Pair) -> None:
    """Twin titles, tags that differ in case, hidden fields, ids in URLs: all of it, under ids of the target's own."""
    pair.world.account.seed(MESS)
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert code == 0, text
    assert pair.differences() == []
    dump = json.dumps(pair.other.rows.dump())
    assert not re.findall(r"9[0-5]000\d", dump)
    (hook,) = pair.other.rows.all("webhooks")
    news, vip = pair.other.rows.all("lists")[0]["id"], next(iter(pair.other.rows.where("tags", tag="VIP")))["id"]
    assert hook["url"] == f"https://h.example/x?list={news}&token=abc&tagid={vip}"


def test_cloning_again_changes_nothing(pair: Pair) -> None:
    """What is there under the same name is what was cloned; the target's plan does not want to delete it either."""
    pair.world.account.seed(MESS)
    pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    before = pair.other.rows.dump()
    code, text = pair.run("clone", "--from", "a", "--to", "b")
    assert (code, "No changes." in text) == (0, True), text
    assert pair.other.rows.dump() == before
    assert "Nothing is declared and nothing is managed" in pair.run("-e", "b", "plan")[1]


LOCKED = {"tag": "HOURS", "name": "Hours", "format": "text", "content": "9 to 5"}
HOOK = {"url": "https://h.example/x", "sources": ["public"], "name": "W", "events": ["subscribe"]}


def test_what_the_account_itself_refuses_is_left_out_by_name(pair: Pair) -> None:
    """An event that nobody offers any more, of a webhook that is new and of one that is there; a locked variable: each
    is named, and all else is copied.
    """
    pair.world.account.seed({
        "tags": [{"tag": "VIP"}],
        "webhooks": [{**HOOK, "events": ["subscribe", "gone_event"]}, {**HOOK, "name": "V", "events": ["gone_event"]},
                     {**HOOK, "name": "U"}],
        "personalizations": [LOCKED],
    })  # fmt: skip
    there = {**LOCKED, "content": "10 to 6", "isLocked": True}
    pair.other._account.seed({"webhooks": [HOOK], "personalizations": [there]})
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--out", "c.json")
    assert code == 0, text
    for name in ("webhook.w", "webhook.v", "personalization.hours"):
        assert f"Not cloned: {name}" in text, text
    code, text = pair.run("-e", "b", "apply", "c.json")
    assert code == 0, text
    assert sorted(row["name"] for row in pair.other.rows.all("webhooks")) == ["U", "W"]
    assert [row["content"] for row in pair.other.rows.all("personalizations")] == ["10 to 6"]
    assert [row["tag"] for row in pair.other.rows.all("tags")] == ["VIP"]
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--prune")
    assert (code, "No changes." in text) == (0, True), text


def test_a_plan_leaves_out_what_the_account_itself_refuses(world: World) -> None:
    """The rest is carried out; the exit code tells."""
    hooks = {"old": {**HOOK, "name": "V", "events": ["gone_event"]}, "new": HOOK}
    world.write({"webhooks": hooks, "tags": {"vip": {}}})
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 7, ran.text
    assert "the account knows no webhook event `gone_event`" in ran.text
    assert [row["name"] for row in world.rows("webhooks")] == ["W"]
    assert len(world.rows("tags")) == 1


def test_namesakes_are_cloned_once(pair: Pair) -> None:
    """Two stages of one title, by their places; two lists of one name, of which the account would refuse the second."""
    stages = [{"title": "A", "order": "2"}, {"title": "B", "order": "1"}, {"title": "A", "order": "1"}]
    news = {"name": "News", "sender_url": "https://x.example", "sender_reminder": "r"}
    pair.world.account.seed(
        {
            "dealGroups": [{"title": "Sales", "currency": "usd", "stages": stages}],
            "lists": [{**news, "stringid": "one"}, {**news, "stringid": "two", "sender_url": ""}],
        }
    )
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve")
    assert code == 0, text
    before = pair.other.rows.dump()
    code, text = pair.run("clone", "--from", "a", "--to", "b")
    assert (code, "No changes." in text) == (0, True), text
    assert "Not cloned: list.news_2 is left out: `sender_url` is documented as required" in text
    assert pair.other.rows.dump() == before
    assert [row["stringid"] for row in pair.other.rows.all("lists")] == ["one"]


def test_what_was_taken_for_what_is_said_in_one_sentence(pair: Pair) -> None:
    """Of boards of one title, the one that is most alike: with one and with several there."""
    lonely = {"id": "91", "title": "Lonely", "currency": "usd", "stages": [{"title": "B"}]}
    twin = [{"id": str(n), "title": "Twin", "currency": "usd", "stages": [{"title": f"S{n}"}]} for n in (82, 83)]
    pair.world.account.seed({"dealGroups": [{**lonely, "id": "90", "stages": [{"title": "A"}]}, lonely, twin[1]]})
    pair.other.seed({"dealGroups": [lonely, *twin]})
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--dry-run")
    assert code == 0, text
    said = [line for line in text.splitlines() if "its name" in line]
    assert said == [
        "Not cloned: pipeline.lonely: 1 object there has its name (id 91); 91 was taken for pipeline.lonely_2",
        "Not cloned: pipeline.twin: 2 objects there have its name (ids 82, 83); 83 was taken for pipeline.twin",
    ]


@pytest.mark.parametrize("folder", [True, False])
def test_a_clone_is_shown_saved_and_applied_as_saved(pair: Pair, folder: bool) -> None:
    """With and without a folder of the configuration; ids inside texts are translated all the same."""
    pair.world.account.seed(MESS)
    if not folder:
        shutil.rmtree(pair.world.folder / "config")
    before = pair.other.rows.dump()
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--dry-run")
    assert (code, "to add" in text) == (0, True), text
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--out", "p.json")
    assert (code, "Apply it with: reconciler -e b apply p.json" in text) == (0, True), text
    assert pair.other.rows.dump() == before
    assert "to add" in pair.run("show", "p.json")[1]
    assert pair.run("apply", "p.json")[0] == 6
    code, text = pair.run("-e", "b", "apply", "p.json")
    assert code == 0, text
    assert pair.differences() == []
    assert not re.findall(r"9[0-6]00\d\d", json.dumps(pair.other.rows.dump()))
    assert pair.run("-e", "b", "apply", "p.json")[0] == 6


def test_a_project_without_a_folder_of_files_declares_nothing(pair: Pair) -> None:
    """Git keeps no empty folder. It is said; nothing managed is destroyed; a folder that is named has to be there."""
    pair.world.account.seed({"tags": MESS["tags"]})
    shutil.rmtree(pair.world.folder / "config")
    for argv in (
        ["validate"],
        ["plan"],
        ["clone", "--from", "a", "--to", "b", "--auto-approve"],
        ["compare", "a", "b"],
    ):
        code, text = pair.run(*argv)
        assert code == 0, text
    assert pair.run("validate")[1].count("`config` does not exist") == 1
    assert pair.other.rows.all("tags")
    assert pair.run("export")[0] == 0
    assert pair.run("plan", "--detailed-exitcode")[0] == 0
    shutil.rmtree(pair.world.folder / "config")
    code, text = pair.run("apply", "--auto-approve")
    assert (code, "--allow empty_configuration" in text) == (7, True), text
    assert pair.world.account.rows.all("tags")
    pair.world.write(TWO_ACCOUNTS + "config: [config]\n", "reconciler.yaml")
    assert pair.run("validate")[0] == 3


@pytest.mark.parametrize("saved", [True, False])
def test_a_clone_is_held_to_the_numbers_that_it_showed(
    pair: Pair, saved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deals arrive in a pipeline that is pruned: after the plan was saved, or while somebody reads what is shown."""
    pair.other.seed({"dealGroups": [{"id": 930001, "title": "Old", "currency": "usd", "stages": [{"title": "A"}]}]})
    (stage,) = pair.other.rows.all("dealStages")
    deal = {"title": "D", "stage": stage["id"], "group": stage["group"]}
    pair.other.seed({"deals": [deal]})
    clone = ["clone", "--from", "a", "--to", "b", "--prune", "--allow", "max_records_lost=1"]
    clone += ["--allow", "max_delete_percent", "--allow", "unmanaged_lost=9", "--allow", "empty_configuration"]

    def arrive(*_: object) -> str:
        pair.other.seed({"deals": [deal, deal]})
        return "yes"

    if saved:
        code, text = pair.run(*clone, "--out", "p.json")
        assert code == 0, text
        arrive()
        code, text = pair.run("-e", "b", "apply", "p.json")
    else:
        monkeypatch.setenv("RECONCILER_PROMPT", "1")
        monkeypatch.setattr("reconciler.cli.terminal.answer", arrive)
        code, text = pair.run(*clone)
    assert code == 7, text
    assert "planned against 1, found 3" in " ".join(text.split()), text
    assert len(pair.other.rows.all("deals")) == 3
    assert len(pair.other.rows.all("dealGroups")) == 1


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_saved_clone_is_refused_where_either_account_moved(pair: Pair, side: str) -> None:
    """As a whole: half a clone is no clone."""
    pair.world.account.seed(MESS)
    assert pair.run("clone", "--from", "a", "--to", "b", "--out", "p.json")[0] == 0
    rows = pair.world.account.rows if side == "a" else pair.other.rows
    rows.put("tags", "900077", {"id": "900077", "tag": "late", "tagType": "contact", "description": ""})
    if side == "b":
        row = next(iter(rows.where("dealTasktypes", title="Call")))
        rows.put("dealTasktypes", row["id"], {**row, "title": "Ring"})
    before = pair.other.rows.dump()
    code, text = pair.run("-e", "b", "apply", "p.json")
    assert (code, "changed since the plan was made" in " ".join(text.split())) == (6, True), text
    assert pair.other.rows.dump() == before


def test_what_only_the_target_holds_stays_without_prune(pair: Pair) -> None:
    """Strangers go only where --prune and the guards say so; the source is never written to."""
    pair.world.account.seed(MESS)
    pair.other.seed({"tags": [{"tag": "Mine", "contacts": 3}], "dealGroups": [{"title": "Own", "currency": "usd"}]})
    pair.world.forget()
    pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert {row["tag"] for row in pair.other.rows.all("tags")} >= {"Mine", "VIP"}
    assert pair.differences() == ["delete pipeline.own", "delete tag.mine"]
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--prune", "--auto-approve", "--quiet")
    assert code == 7, text
    assert "3 contacts lose this tag" in text
    override = re.findall(r"--allow (\S+)", text)
    code, text = pair.run(
        "clone", "--from", "a", "--to", "b", "--prune", "--auto-approve", "--quiet",
        *(part for one in override for part in ("--allow", one.rstrip(".,;"))),
    )  # fmt: skip
    assert code == 0, text
    assert pair.differences() == []
    assert pair.world.writes() == []


def test_what_the_target_lacks_is_left_out_and_said(pair: Pair) -> None:
    """A user who has no seat in the target cannot be referred to there."""
    pair.world.account.seed({"users": [{"id": 7, "username": "joe", "email": "joe@acme.example"}]})
    pair.world.write("pipelines: {p: {title: P, currency: usd, users: [joe@acme.example]}}")
    assert pair.run("-e", "a", "apply", "--auto-approve", "--quiet")[0] == 0
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert code == 0, text
    assert "pipeline.p.users: the other account has no user[email=joe@acme.example]" in text
    assert [row["title"] for row in pair.other.rows.all("dealGroups")] == ["P"]


def test_folders_and_snapshots_are_compared_with_accounts(pair: Pair) -> None:
    """Either side may be a folder of declarations or a snapshot file; the direction is what RIGHT would need."""
    pair.world.account.seed({"tags": [{"tag": "VIP"}], "lists": [{"name": "News", "stringid": "news"}]})
    pair.run("-e", "a", "snapshot", "--out", "a.json")
    pair.world.write(TWO_ACCOUNTS, "other/reconciler.yaml")
    pair.world.write("tags: {vip: {name: VIP}, new: {}}", "other/config/x.yaml")
    assert json.loads(pair.world.cli("compare", "a.json", "a", "--format", "json").out)["changes"] == []
    changes = json.loads(pair.world.cli("compare", "other", "a", "--kinds", "tag,list", "--format", "json").out)[
        "changes"
    ]
    assert [f"{one['action']} {one['address']}" for one in changes] == ["create tag.new", "delete list.news"]
    turned = json.loads(pair.world.cli("compare", "a", "other", "--kinds", "tag,list", "--format", "json").out)[
        "changes"
    ]
    assert [f"{one['action']} {one['address']}" for one in turned] == ["delete tag.new", "create list.news"]
    assert pair.world.cli("compare", "a", "nowhere").code == 3


EVERYWHERE: dict[str, Any] = {
    "messages": [
        {
            "id": 960001,
            "subject": "Hello",
            "fromname": "Acme",
            "fromemail": "news@acme.example",
            "html": '<a href="https://x.example/s?listid=910001&amp;field=920001">in</a> and %PLAN%',
            "text": "in: https://x.example/s?list=910001",
        }
    ],
    "personalizations": [
        {"id": 970001, "tag": "FOOT", "name": "Foot", "format": "text", "content": "?tagid=900001", "listids": "910001"}
    ],
    "connections": [
        {
            "id": 980001,
            "service": "shop",
            "externalid": "acme",
            "name": "Shop",
            "logoUrl": "https://x.example/l.png",
            "linkUrl": "https://x.example/?list=910001",
            "listId": "910001",
        }
    ],
    "segmentsV2": [
        {
            "id": "990001",
            "segment_id": "990001",
            "name": "Fans",
            "category": "AUDIENCE",
            "segment_condition_group_operator": "and",
            "segment_condition_groups": [{"id": "1", "operator": "and", "values": [{"id": "1", "type": "condition"}]}],
            "segment_conditions": [
                {
                    "id": "1",
                    "object_type": "contact",
                    "source_system": "activecampaign",
                    "fields": [{"name": "tagid", "operator": "=", "value": "900001", "data_type": "string"}],
                }
            ],
        }
    ],
    "savedResponses": [{"id": 995001, "title": "Re", "subject": "s", "body": "see ?stage=940001"}],
}


def test_no_id_of_the_source_is_in_any_text_of_the_target(pair: Pair) -> None:
    """Message HTML, personalization content, segment conditions, connection links and replies are translated too."""
    pair.world.account.seed({**MESS, **EVERYWHERE})
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert code == 0, text
    assert pair.differences() == [], pair.run("compare", "a", "b")[1]
    dump = {table: rows for table, rows in pair.other.rows.dump().items() if rows}
    found = {table: hits for table, rows in dump.items() if (hits := re.findall(r"9[0-9]{2}00\d", json.dumps(rows)))}
    assert found == {}
    assert dump.keys() >= EVERYWHERE.keys()
    vip = next(row["id"] for row in dump["tags"] if row["tag"] == "VIP")
    assert dump["segmentsV2"][0]["segment_conditions"][0]["fields"][0]["value"] == vip
    assert f"?tagid={vip}" in dump["personalizations"][0]["content"]


NAMES = st.text(st.sampled_from("Aab %\"'😀é-_#:{}"), min_size=1, max_size=6).filter(lambda text: bool(text.strip()))


@st.composite
def accounts(draw: st.DrawFn) -> Mapping[str, Any]:
    """Rows of an account with mess: namesakes, odd letters, orphans, fields without relations."""
    lists = [
        {"id": 910000 + n, "name": name, "stringid": f"l{n}", "sender_url": "https://x.example", "sender_reminder": "r"}
        for n, name in enumerate(draw(st.lists(NAMES, max_size=3)))
    ]
    titles = draw(st.lists(NAMES, max_size=3, unique_by=lambda text: re.sub(r"\W", "", text.upper()) or text))
    relids = ["0", *(str(row["id"]) for row in lists)]
    return {
        "tags": [
            {"id": 900000 + n, "tag": tag} for n, tag in enumerate(draw(st.lists(NAMES, max_size=4, unique=True)))
        ],
        "lists": lists,
        "fields": [
            {
                "id": 920000 + n,
                "title": title,
                "perstag": f"F{n}",
                "type": draw(st.sampled_from(["text", "dropdown", "listbox"])),
                "options": draw(st.lists(NAMES, max_size=3, unique=True)),
                "relids": draw(st.lists(st.sampled_from(relids), max_size=2, unique=True)),
            }
            for n, title in enumerate(titles)
        ],
        "dealCustomFieldMeta": [
            {"id": 960000 + n, "fieldLabel": label, "fieldType": kind, "fieldOptions": ["x", "y"]}
            for n, (label, kind) in enumerate(
                draw(
                    st.lists(
                        st.tuples(st.sampled_from(["Size", "Größe", "50% 'a'"]), st.sampled_from(["text", "dropdown"])),
                        max_size=2,
                        unique_by=lambda one: one[0],
                    )
                )
            )
        ],
        "webhooks": [
            {
                "id": 950000 + n,
                "name": name,
                "url": f"https://h{n}.example/x?list={draw(st.sampled_from(relids))}",
                "events": ["subscribe"],
                "sources": ["public"],
                "listid": draw(st.sampled_from(relids)),
            }
            for n, name in enumerate(draw(st.lists(NAMES, max_size=2)))
        ],
        "dealGroups": [
            {
                "id": 930000 + n,
                "title": title,
                "currency": draw(st.sampled_from(["usd", "eur"])),
                "stages": [{"title": stage} for stage in draw(st.lists(NAMES, max_size=5, unique=True))],
            }
            for n, title in enumerate(draw(st.lists(NAMES, max_size=3)))
        ],
    }


FEW = max(1, settings().max_examples // 4)
"""Whole accounts of every kind take seconds each: `prove` tries 250."""


def refused(text: str) -> set[str]:
    """Return the addresses of which an export says that no other account takes them, as a choice without options."""
    return set(re.findall(r"Note: (\S+): an account that does not have it would refuse to create it", text))


@settings(
    max_examples=FEW, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(rows=accounts())
def test_any_account_survives_its_export(rows: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Exported, applied to an empty account and exported from there: the same files, byte for byte, and accounts that
    are equal modulo ids. What an export does not translate are ids inside texts; a clone does.
    """
    rows = {**rows, "webhooks": [{**row, "url": f"https://h{n}.example/x"} for n, row in enumerate(rows["webhooks"])]}
    with new_world(tmp_path_factory.mktemp("world")) as world, hold(world.folder / "state/b.db") as other:
        pair = Pair(world, other)
        (world.folder / "config/main.yaml").write_text("")
        world.account.seed(rows)
        code, text = pair.run("export")
        assert code == 0, text
        files = {path: path.read_bytes() for path in (world.folder / "config").iterdir()}
        assert re.search("No changes[.]|Nothing is declared", pair.run("plan")[1])
        named = refused(text)
        code, text = pair.run("-e", "b", "apply", "--auto-approve", "--quiet")
        assert code == (7 if named else 0), text
        assert all(line.split()[-1] in named for line in pair.differences())
        assert not re.findall(r"9[0-6]00\d\d", json.dumps(other.rows.dump()))
        if named:
            return
        code, text = pair.run("-e", "b", "export")
        assert code == 0, text
        assert {path: path.read_bytes() for path in (world.folder / "config").iterdir()} == files
        assert re.search("No changes[.]|Nothing is declared", pair.run("-e", "b", "plan")[1])


@settings(
    max_examples=FEW, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(rows=accounts())
def test_any_account_can_be_cloned(rows: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Equal but for ids, and no id of the source anywhere in the target."""
    with new_world(tmp_path_factory.mktemp("world")) as world, hold(world.folder / "state/b.db") as other:
        pair = Pair(world, other)
        world.account.seed(rows)
        code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
        assert code == 0, text
        assert all(f"{line.split()[-1]} is left out" in text for line in pair.differences())
        assert not re.findall(r"9[0-6]00\d\d", json.dumps(other.rows.dump()))


def test_a_key_made_of_a_name_is_no_identity(pair: Pair) -> None:
    """An object that nobody bound, and another one that has the key which its name would give: neither a clone nor a
    promotion takes the one for the other.
    """
    pair.world.write({"tags": {"vip": {"name": "VIP"}}})
    assert pair.run("-e", "b", "apply", "--auto-approve", "--quiet")[0] == 0
    pair.world.account.seed({"tags": [{"tag": "VIP!"}]})
    code, text = pair.run("promote", "--from", "a", "--to", "b")
    assert code == 0, text
    assert "tag.vip_2" in text
    files = (pair.world.folder / "config/main.yaml").read_text("utf-8")
    assert "vip: {name: VIP}" in files or "name: VIP\n" in files
    assert "VIP!" in files
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve")
    assert code == 0, text
    assert sorted(row["tag"] for row in pair.other.rows.all("tags")) == ["VIP", "VIP!"]


def check_cloned_once(pair: Pair) -> None:
    """Clone, forget what was cloned, and clone again: nothing is planned, for everything is recognised."""
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert code == 0, text
    (pair.world.folder / "state/b.json").unlink()
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--dry-run")
    assert code == 0, text
    assert "0 to add, 0 to change, 0 to destroy" in text, text


@pytest.mark.parametrize("full", [71, 72, 73])
def test_a_second_clone_knows_groups_of_one_name_by_how_many_fields_they_list(pair: Pair, full: int) -> None:
    """Neither the groups nor their members can be told apart by themselves."""
    fields = [{"id": str(n), "fieldLabel": "Twin", "fieldType": "text"} for n in (64, 65, 66)]
    groups = [{"id": n, "label": "Twin", "type_id": 2, "ordernum": 1} for n in (71, 72, 73)]
    members = [{"group_id": full, "rel_id": 65, "ordernum": 1}, {"group_id": 2, "rel_id": 64, "ordernum": 1}]
    pair.world.account.seed({"dealCustomFieldMeta": fields, "groupDefinitions": groups, "groupMembers": members})
    check_cloned_once(pair)


@pytest.mark.parametrize("member", ["65", "66"])
@pytest.mark.parametrize("memberships", ["many", "one"])
def test_a_second_clone_knows_namesakes_by_what_stands_in_them(pair: Pair, memberships: str, member: str) -> None:
    """Groups of one name with other fields, pipelines of one name with other stages or users, fields of one name in
    another group: nothing is planned again, whichever of them was made first.
    """
    pair.world.behave(field_memberships=memberships)
    fields = [{"id": str(n), "title": f"F{n}", "type": "text", "perstag": f"F{n}", "relids": ["0"]} for n in (61, 62)]
    groups = [{"id": n, "label": "Twin", "type_id": 1, "ordernum": 1} for n in (71, 72)]
    members = [{"group_id": group, "rel_id": field, "ordernum": 1} for group, field in ((71, 62), (72, 61))]
    stages = {"81": ["A", "B"], "82": ["C"]}
    boards = [
        {"id": board, "title": "Twin", "currency": "usd", "autoassign": "9" if board == "81" else "0",
         "stages": [{"title": title} for title in titles]}
        for board, titles in stages.items()
    ]  # fmt: skip
    seen = [{"id": board, "title": "Seen", "currency": "usd", "allusers": "0"} for board in ("91", "92")]
    # Of three fields of one label, one is a member of the group that came with the account, and lists it.
    deals = [
        {"id": str(n), "fieldLabel": "Twin", "fieldType": kind, "displayOrder": place}
        for n, kind, place in ((64, "currency", 1), (65, "text", 3), (66, "text", 3))
    ]
    pair.world.account.seed(
        {
            "fields": fields,
            "groupDefinitions": groups,
            "groupMembers": [*members, {"group_id": 2, "rel_id": int(member), "ordernum": 2}],
            "dealCustomFieldMeta": deals,
            "dealGroups": boards + seen,
            "dealGroupUsers": [{"dealGroup": "92", "user": "1"}],
        }
    )
    check_cloned_once(pair)
