"""Archives: the customer records that a plan takes away are saved first, and put back to what carries them again."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from typing import Any

import pyrage
import pytest

from reconciler.emulator.families import TYPES
from tests.world import World
from tests.world.project import PROJECT

EVERYTHING = """
tags: {vip: {name: VIP}}
fields: {tier: {title: Tier, type: text, lists: all}}
deal_fields: {size: {label: Size, type: text}}
account_fields: {branch: {label: Branch, type: text}}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: Ticket, plural: Tickets}
    fields: {topic: {type: text, labels: {singular: Topic, plural: Topics}}}
"""
CANARY = "canary-of-a-customer"


def filled(world: World) -> None:
    """An account where three contacts, deals and accounts have something in all that is declared."""
    world.write(EVERYTHING)
    world.apply()
    of = {table: world.rows(table)[0]["id"] for table in ("tags", "fields", "schemas")}
    size = int(world.rows("dealCustomFieldMeta", fieldLabel="Size")[0]["id"])
    branch = int(world.rows("accountCustomFieldMeta", fieldLabel="Branch")[0]["id"])
    for number in "123":
        value = f"{CANARY}-{number}"
        world.account.seed(
            {
                "contacts": [{"id": number, "email": f"canary-{number}@example.com"}],
                "contactTags": [{"contact": number, "tag": of["tags"]}],
                "fieldValues": [{"contact": number, "field": of["fields"], "value": value}],
                "dealCustomFieldData": [{"dealId": int(number), "customFieldId": size, "fieldValue": value}],
                "accountCustomFieldData": [{"accountId": int(number), "customFieldId": branch, "fieldValue": value}],
            }
        )
        record: dict[str, Any] = {"externalId": f"T-{number}", "fields": [{"id": "topic", "value": value}]}
        record["relationships"] = {"primary-contact": [number]}
        world.account.rows.put("records", f"r{number}", {"id": f"r{number}", "schema": of["schemas"], **record})


def held(world: World) -> dict[str, list[Any]]:
    """Who has what, whatever the ids of the objects are."""
    shown = {
        "contactTags": ("contact",),
        "fieldValues": ("contact", "value"),
        "dealCustomFieldData": ("dealId", "fieldValue"),
        "accountCustomFieldData": ("accountId", "fieldValue"),
        "records": ("externalId", "fields", "relationships"),
    }
    return {
        table: sorted("|".join(str(row[name]).replace("'", "") for name in names) for row in world.rows(table))
        for table, names in shown.items()
    }


def remove(world: World, *more: str, archive: str = "saved") -> Any:
    """Delete everything that is declared, with an archive."""
    world.write("tags: {}")
    planned = world.plan()
    said = [guard.override for guard in planned.document.tripped if guard.override]
    allowed = [word for text in said for word in text.split(" ", 1)]
    return world.cli("apply", "--auto-approve", *allowed, "--archive", str(world.folder / archive), *more)


def undo(world: World, *more: str) -> Any:
    """Undo the last run with an archive, and put back what is in it."""
    return world.cli("undo", "--auto-approve", "--restore", str(world.folder / "saved"), *more)


def test_what_was_deleted_comes_back_with_its_records(world: World) -> None:
    """Values, tags and records of custom objects are saved, lost, and put back to the objects that were made anew; a
    second restore finds them there and writes nothing.
    """
    filled(world)
    before = held(world)
    assert all(len(rows) == 3 for rows in before.values())
    ran = remove(world)
    assert ran.code == 0, ran.text
    assert "15 customer records archived in" in ran.out
    assert all(rows == [] for rows in held(world).values())
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert "15 customer records put back" in ran.out
    assert held(world) == before
    assert world.plan().document.steps  # the configuration still wants them gone
    world.forget()
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert "tag.vip: 3 there already" in ran.out
    assert world.writes() == []
    assert held(world) == before


def test_records_are_in_the_archive_and_nowhere_else(world: World) -> None:
    """No value, e-mail address or title of a customer is in a state, journal, run record or line of output; the files
    of the archive are for their owner only.
    """
    filled(world)
    said = remove(world).text + undo(world).text + world.cli("runs", "show").text
    assert "canary" not in said
    saved = world.folder / "saved"
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert {path for path in files if b"canary" in path.read_bytes()} == {
        path for path in files if saved in path.parents and not path.name.startswith("tag.")
    }
    for path in saved.rglob("*.ndjson"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        head, *records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert head["address"] == path.name.removesuffix(".ndjson")
        assert head["records"] == len(records) == 3
        assert head["verified"] is True


def test_a_budget_is_shown_and_kept(world: World) -> None:
    """What the archive takes is said before anybody says yes; more than it may take stops everything."""
    filled(world)
    world.forget()
    ran = remove(world, "--archive-requests", "3")
    assert ran.code == 7, ran.text
    assert "may take 3" in ran.err
    assert "--archive-requests 9" in ran.err
    assert world.writes() == []
    assert not (world.folder / "saved").exists()
    ran = remove(world, "--archive-requests", "9")
    assert ran.code == 0, ran.text
    assert "takes about 8 of at most 9 requests" in ran.err


def test_a_lying_count_does_not_break_the_budget(world: World) -> None:
    """Without counts nothing is known beforehand: the archive stops at its budget, and nothing was deleted."""
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    number = world.rows("tags")[0]["id"]
    world.account.seed(
        {
            "contacts": [{"id": str(one), "email": f"p{one}@example.com"} for one in range(1, 351)],
            "contactTags": [{"contact": str(one), "tag": number} for one in range(1, 351)],
        }
    )
    ran = remove(world, "--no-impact", "--archive-requests", "2")
    assert ran.code == 7, ran.text
    assert "are used up" in ran.err
    assert len(world.rows("tags")) == 1
    ran = remove(world, archive="again")
    assert "350 customer records archived" in ran.out, ran.text


def test_an_archive_that_cannot_be_written_stops_the_apply(world: World) -> None:
    """A folder that is a file, or read-only: nothing was deleted."""
    filled(world)
    (world.folder / "saved").write_text("in the way")
    ran = world.cli("destroy", "--auto-approve", "--archive", str(world.folder / "saved" / "deeper"))
    assert ran.code != 0
    assert "cannot be written" in ran.err or ran.code == 7, ran.text
    assert len(held(world)["contactTags"]) == 3


def test_an_encrypted_archive(world: World) -> None:
    """Where the environment has recipients, they are the only ones who read it."""
    alice, eve = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    world.write(f"{PROJECT}encryption: {{recipients: [{alice.to_public()}]}}\n", "reconciler.yaml")
    world.environ["RECONCILER_AGE_IDENTITY"] = str(alice)
    filled(world)
    before = held(world)
    assert remove(world).code == 0
    for path in (world.folder / "saved").rglob("*.ndjson"):
        assert path.read_bytes().startswith(b"age-encryption.org/v1")
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert held(world) == before
    world.environ["RECONCILER_AGE_IDENTITY"] = str(eve)
    assert undo(world).code != 0


def test_an_archive_belongs_to_its_account_and_is_whole(world: World) -> None:
    """Ids of contacts mean nothing in another account; a file that was cut off is told, not half used."""
    filled(world)
    assert remove(world).code == 0
    path = next((world.folder / "saved").rglob("field.tier.ndjson"))
    whole = path.read_text("utf-8")
    path.write_text("".join(whole.splitlines(keepends=True)[:-1]), "utf-8")
    world.forget()
    ran = undo(world)
    assert "truncated" in ran.err, ran.text
    path.write_text(whole.replace('"account": "', '"account": "other-'), "utf-8")
    ran = undo(world)
    assert "is of the account other-" in ran.err, ran.text
    assert world.writes() == []
    ran = world.cli("undo", "--restore", str(world.folder / "state"))
    assert "there is no archive in" in ran.err, ran.text


def test_an_account_without_the_path_of_a_field_s_values(world: World) -> None:
    """Then everybody's values are read, and those of the field are kept; money keeps its currency."""
    filled(world)
    size = world.rows("dealCustomFieldMeta", fieldLabel="Size")[0]["id"]
    world.account.seed(
        {
            "dealCustomFieldData": [
                {"dealId": 8, "customFieldId": int(size), "fieldValue": "1050", "fieldCurrency": "eur"},
                {"dealId": 9, "customFieldId": 1, "fieldValue": "of another field"},
            ]
        }
    )
    before = held(world)
    world.fault("fail_before", "^GET /dealCustomFieldMeta/[0-9]+/", times=99, status=404, body={"message": "none"})
    ran = remove(world)
    assert ran.code == 0, ran.text
    lines = next((world.folder / "saved").rglob("deal_field.*")).read_text("utf-8").splitlines()
    assert json.loads(lines[-1]) == {"currency": "eur", "deal": "8", "value": "1050"}
    assert undo(world).code == 0
    assert held(world) == before
    assert [row["fieldCurrency"] for row in world.rows("dealCustomFieldData", dealId=8)] == ["eur"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"action": "fail_before", "status": 200, "body": {}}, "expected a list of objects `records`"),
        ({"action": "lying_total", "delta": 2}, "announced 5 records and showed 3"),
    ],
)
def test_a_listing_that_does_not_add_up_stops_everything(world: World, fault: dict[str, Any], said: str) -> None:
    """An answer without rows is no proof that there are none: nothing is deleted."""
    filled(world)
    world.forget()
    world.fault(match="^GET /customObjects/records/[^?]*[?]limit=100", times=99, **fault)
    ran = remove(world)
    assert ran.code == 1, ran.text
    assert said in ran.err
    assert world.writes() == []


def test_nobody_is_written_over(world: World) -> None:
    """Who has another value by now keeps it."""
    filled(world)
    assert remove(world).code == 0
    assert world.cli("undo", "--auto-approve").code == 0
    field = world.rows("fields")[0]["id"]
    world.account.seed({"fieldValues": [{"contact": "2", "field": field, "value": "newer"}]})
    ran = undo(world, next((world.folder / "saved").iterdir()).name)
    assert "field.tier: 2 put back, 1 there already" in ran.out, ran.text
    assert [row["value"] for row in world.rows("fieldValues", contact="2")] == ["newer"]


def test_an_account_that_ignores_filters(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it shows everybody as having the tag, nobody knows who has it: the list is saved and not put back."""
    filled(world)
    world.account.seed({"contacts": [{"id": "9", "email": "canary-9@example.com"}]})
    monkeypatch.setitem(TYPES, "contacts", replace(TYPES["contacts"], filters={}))
    ran = remove(world)
    assert ran.code == 0, ran.text
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert "tag.vip: 4 records cannot be put back" in ran.out
    assert "did not say for certain" in ran.out
    assert world.rows("contactTags") == []
    assert len(world.rows("fieldValues")) == 3


def test_an_account_that_begins_to_ignore_filters(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody is shown as having the new tag: that is no reason to leave it at that, nor to send it to all."""
    filled(world)
    assert remove(world).code == 0
    assert world.cli("undo", "--auto-approve").code == 0
    monkeypatch.setitem(TYPES, "contacts", replace(TYPES["contacts"], filters={}))
    ran = undo(world, next((world.folder / "saved").iterdir()).name)
    assert ran.code == 5, ran.text
    assert "tag.vip: 3 not put back" in ran.out
    assert world.rows("contactTags") == []


def test_what_hangs_on_a_stage_and_a_list_is_saved(world: World) -> None:
    """Deals cannot be made again, and nobody is subscribed again: they are saved, and the restore says why."""
    world.write(
        """
        lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: Hi}}
        pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}, won: {title: Won}}}}
        """
    )
    world.apply()
    stage = world.rows("dealStages", title="Lead")[0]
    for number in ("1", "2"):
        world.account.seed(
            {
                "deals": [{"title": f"Deal {number}", "stage": stage["id"], "group": stage["group"], "value": "100"}],
                "contacts": [{"id": number, "email": f"canary-{number}@example.com"}],
                "contactLists": [{"contact": number, "list": world.rows("lists")[0]["id"], "status": "1"}],
            }
        )
    ran = remove(world)
    assert ran.code == 0, ran.text
    names = {path.name: path.read_text("utf-8") for path in (world.folder / "saved").rglob("*.ndjson")}
    assert sorted(names) == ["list.news.ndjson", "pipeline.sales.ndjson"]
    assert names["list.news.ndjson"].count("canary-") == 2
    assert names["pipeline.sales.ndjson"].count("Deal ") == 2
    world.forget()
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert "2 records cannot be put back" in ran.out
    assert "subscribed again" in ran.out
    assert not [line for line in world.writes() if "contact" in line.lower()]


def test_contacts_that_are_gone_get_nothing(world: World) -> None:
    """A contact that was deleted meanwhile cannot have its tag back: it is counted and told, the others get theirs."""
    filled(world)
    assert remove(world).code == 0
    world.account.rows.remove("contacts", "2")
    ran = undo(world)
    assert ran.code == 5, ran.text
    assert "tag.vip: 2 put back, 1 not put back" in ran.out
    assert "what they belonged to may be gone" in ran.out
    assert held(world)["contactTags"] == ["1", "3"]


def test_what_is_not_managed_gets_nothing(world: World) -> None:
    """What was archived by a run that failed, and deleted by the next one: the restore says what to undo first."""
    filled(world)
    world.fault("fail_before", "^DELETE /tags", times=9, status=403)
    assert remove(world).code == 5
    world.account.faults.clear()
    assert (
        world.cli("apply", "--auto-approve", "--allow", "max_records_lost=3", "--allow", "empty_configuration").code
        == 0
    )
    ran = undo(world)
    assert ran.code == 5, ran.text
    assert "tag.vip: 3 not put back" in ran.out
    assert "undo what deleted it first" in ran.out
    assert len(world.rows("fieldValues")) == 3
    runs = json.loads(world.cli("runs", "list", "--format", "json").out)
    assert world.cli("undo", "--auto-approve", next(run["run"] for run in runs if run["destroyed"] == 1)).code == 0
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert len(world.rows("contactTags")) == 3


def test_wrong_usage_is_told(world: World) -> None:
    """Options that make no sense alone or together."""
    world.write(EVERYTHING)
    (world.folder / "saved").mkdir()
    saved = str(world.folder / "saved")
    for argv in (
        ("apply", "--archive-requests", "5"),
        ("undo", "--restore", saved, "--out", "x.json"),
        ("undo", "--restore", saved, "--target", "tag.vip"),
    ):
        assert world.cli(*argv).code == 1, argv


@pytest.mark.parametrize("how", ["drop_before", "drop_after"])
def test_an_interrupted_restore_goes_on(world: World, how: Any) -> None:
    """A restore that died is run again, and puts back what is missing: nobody gets anything twice."""
    filled(world)
    before = held(world)
    assert remove(world).code == 0
    assert world.cli("undo", "--auto-approve").code == 0
    run = next((world.folder / "saved").iterdir()).name
    world.fault(how, "POST /customObjects/records", nth=2)
    ran = undo(world, run)
    assert ran.code == 1, ran.text
    assert "nothing is sent twice" in ran.err
    ran = undo(world, run)
    assert ran.code == 0, ran.text
    assert held(world) == before


def test_an_option_that_goes(world: World) -> None:
    """A field that stays loses values with an option: they are saved too, and who has one by then keeps it."""
    world.write("fields: {tier: {title: Tier, type: dropdown, lists: all, options: [Free, Pro]}}")
    world.apply()
    field = world.rows("fields")[0]["id"]
    for number, value in (("1", "Free"), ("2", "Pro"), ("3", "")):
        world.account.seed(
            {
                "contacts": [{"id": number, "email": f"canary-{number}@example.com"}],
                "fieldValues": [{"contact": number, "field": field, "value": value}],
            }
        )
    world.write("fields: {tier: {title: Tier, type: dropdown, lists: all, options: [Free]}}")
    saved = world.folder / "saved"
    allowed = [guard.override.split(" ", 1) for guard in world.plan().document.tripped if guard.override]
    ran = world.cli("apply", "--auto-approve", *(word for pair in allowed for word in pair), "--archive", str(saved))
    assert ran.code == 0, ran.text
    assert "2 customer records archived" in ran.out
    world.account.rows.remove_where("fieldValues", value="Pro")
    ran = undo(world)
    assert ran.code == 0, ran.text
    assert "field.tier: 1 put back, 1 there already" in ran.out
    assert [row["value"] for row in world.rows("fieldValues", contact="2")] == ["Pro"]


WRONG: list[tuple[str, str, Any]] = [
    ("tag.vip", "id", "1?x="), ("tag.vip", "id", ".."), ("tag.vip", "id", "../lists/1"), ("tag.vip", "id", ""),
    ("tag.vip", "id", "one"), ("tag.vip", "id", 7), ("tag.vip", "id", None), ("tag.vip", "contact", "1?x="),
    ("tag.vip", "contact", "../tags/2"), ("tag.vip", "contact", ""), ("tag.vip", "contact", 1.5),
    ("tag.vip", "contact", True), ("tag.vip", "contact", None), ("tag.vip", "contact", {"a": {}}),
    ("tag.vip", "records", True),
    ("tag.vip", "verified", 1),
    ("tag.vip", "kind", "no_such_kind"),
    ("tag.vip", "address", "list.vip"),
    ("field.tier", "value", {"a": {}}),
    ("field.tier", "contact", "1/2"),
    ("deal_field.size", "deal", "1?x="),
    ("account_field.branch", "account", ".."),
]  # fmt: skip


def test_a_wrong_id_or_value_in_an_archive_is_damage_of_it(world: World) -> None:
    """Of the object and of those whose records they are: the file is named, and nothing is sent, nor of other files."""
    filled(world)
    assert remove(world).code == 0
    assert world.cli("undo", "--auto-approve").code == 0
    run = next((world.folder / "saved").iterdir())
    for address, name, value in WRONG:
        path = run / f"{address}.ndjson"
        kept = path.read_text("utf-8")
        lines = [json.loads(line) for line in kept.splitlines()]
        head = name in ("id", "records", "verified", "kind", "address")
        held = next(line for line in (lines if head else lines[1:]) if name in line)
        held[name] = value
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
        world.forget()
        ran = world.cli("undo", "--auto-approve", "--restore", str(world.folder / "saved"), run.name)
        said = " ".join(ran.err.split())
        assert ran.code == 3, (address, name, value, ran.text)
        assert f"{address}.ndjson is not an archive" in said, (address, name, value, said)
        assert "move it away" in said
        assert not world.writes(), (address, name, value)
        path.write_text(kept, "utf-8")
