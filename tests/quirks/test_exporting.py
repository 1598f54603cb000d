"""Accounts that hold what no declaration takes: the reference lists less than the product knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.world import World

KEY = "9f2c1e7ab84d5560c3fe"


def written(world: World) -> tuple[str, str]:
    """Export, and return what all files say and what was noted about it; the plan afterwards is empty."""
    copy = world.folder / "copy"
    outcome = world.export(copy)
    assert world.plan(copy).empty
    return "\n".join(path.read_text("utf-8") for path in sorted(Path(copy, "config").rglob("*.yaml"))), "\n".join(
        outcome.notes
    )


def test_one_object_that_cannot_be_declared_does_not_stop_an_export(world: World) -> None:
    """Types that only the product knows (section 2.1: `NULL`), a webhook's legacy source (2.16), an address that the
    product made without its company: each is named and left out, the others are written.
    """
    world.account.seed(
        {
            "tags": [{"id": "1", "tag": "VIP", "tagType": "contact"}],
            "fields": [{"id": "5", "title": "Odd", "type": "NULL", "perstag": "ODD"}],
            "webhooks": [
                {
                    "id": "6",
                    "name": "Old",
                    "url": "https://h.example/?key=hush",
                    "events": ["sent"],
                    "sources": ["init"],
                }
            ],
            "addresses": [{"id": "7", "companyName": "", "address1": "1 Main St", "country": "US"}],
            "savedResponses": [{"id": "8", "title": "Empty", "subject": "", "body": None}],
            "lists": [{"id": "9", "name": "", "stringid": ""}],
        }
    )
    files, notes = written(world)
    assert "VIP" in files
    assert "Contact field `Odd` (id 5) is left out: its `type` is `NULL`, which cannot be declared" in notes
    assert "Webhook `Old` (id 6) is left out" in notes
    assert "hush" not in notes
    assert "Address (id 7) is left out: it has no `company_name`" in notes
    assert "Saved response `Empty` (id 8) is left out: a saved response needs a `subject` or a `body`" in notes
    assert "List (id 9) is left out: it has no `name`" in notes


def test_a_property_that_cannot_be_declared_is_left_out_alone(world: World) -> None:
    """The list of card regions is not recovered in full (section 2.8), and a channel may be added to lists."""
    world.account.seed(
        {
            "dealGroups": [{"id": "7", "title": "Sales", "currency": "usd"}],
            "dealStages": [
                {"id": "70", "group": "7", "title": "Lead", "order": "1", "cardRegion1": "contact-jobtitle"}
            ],
            "lists": [{"id": "9", "name": "News", "stringid": "news", "channel": "whatsapp"}],
        }
    )
    files, notes = written(world)
    assert "Lead" in files
    assert "contact-jobtitle" not in files
    assert (
        "stage.sales.lead: its `card_region_1` is `contact-jobtitle`, which cannot be declared; it is left out" in notes
    )
    assert "list.news: its `channel` is `whatsapp`, which cannot be declared; it is left out" in notes


def test_a_schema_field_of_an_unknown_type_is_left_alone(world: World) -> None:
    """The list of types is "still being finalized" (section 2.17): the other fields are declared."""
    labels = {"singular": "Seat", "plural": "Seats"}
    fields = [{"id": "seat", "type": "text", "labels": labels}, {"id": "face", "type": "hologram", "labels": labels}]
    world.account.seed({"schemas": [{"id": "u-1", "slug": "ticket", "labels": labels, "fields": fields}]})
    files, notes = written(world)
    assert "seat:" in files
    assert "face:" not in files
    assert "custom_object.ticket: its `fields.face` cannot be declared; it is left out" in notes


def test_stamps_of_a_user_group_are_no_permissions(world: World) -> None:
    """A group's row holds whatever the vendor adds; only permissions are worth declaring (section 8.1, rule 10)."""
    stamps = {"updated_timestamp": "2026-01-01 00:00:00", "created_by": "1", "mdate": None, "sdate": None}
    world.account.seed({"groups": [{"id": "9", "title": "Agents", "pgDeal": "1", "pgBrandNew": "1", **stamps}]})
    files, _ = written(world)
    assert "pgDeal: true" in files
    assert "pgBrandNew: true" in files
    assert not any(name in files for name in stamps)


def test_names_that_several_objects_have_are_no_obstacle(world: World) -> None:
    """Uniqueness is uncertain for most kinds (row 20): twins get numbered keys."""
    twins: dict[str, dict[str, Any]] = {
        "tags": {"tag": "VIP", "tagType": "contact"},
        "lists": {"name": "News", "stringid": "news", "sender_url": "https://h.example", "sender_reminder": "Hello"},
        "groups": {"title": "Awesome"},
        "dealRoles": {"title": "Finance"},
        "savedResponses": {"title": "Thanks", "body": "x"},
        "webhooks": {"name": "One", "url": "https://h.example", "events": ["sent"], "sources": ["api"]},
        "calendars": {"title": "All", "type": "All"},
        "personalizations": {"tag": "HOURS", "name": "Hours\n", "format": "text", "content": "a\r\nb "},
        "addresses": {"companyName": "Shop", "address1": "1 Main St", "country": "US"},
        "connections": {
            "service": "shop",
            "externalid": "1",
            "name": "Shop",
            "logoUrl": "https://h.example/l.png",
            "linkUrl": "https://h.example",
        },
        "dealCustomFieldMeta": {"fieldLabel": "Tier", "fieldType": "text"},
        "fields": {"title": "Tier", "type": "text", "perstag": "TIER"},
        "dealTasktypes": {"title": "Demo", "status": "0"},
        "taskOutcomes": {"title": "Convinced", "sentiment": "POSITIVE"},
    }
    world.account.seed(
        {"dealGroups": [{"id": one, "title": "Bogus Pipeline", "currency": "usd"} for one in ("70", "71")]}
    )
    world.account.seed({path: [row, row] for path, row in twins.items()})
    files, notes = written(world)
    assert "vip_2:" in files
    once = {line.partition(":")[0] for line in notes.splitlines() if "takes no two of one" in line}
    assert once == {"task_outcome.convinced_2", "connection.shop_2", "field.tier_2"}


SPELLED = (
    KEY, KEY.upper(), KEY[::-1], KEY.encode().hex(), "-".join(KEY[at : at + 4] for at in range(0, 20, 4)),
    f"{KEY[:10]}\u200b{KEY[10:]}", f"{KEY[:10]}\n{KEY[10:]}", f"x{KEY}\0", f"\uff4b{KEY}", f"${{env.{KEY}}}",
    f"{{{KEY}: ", KEY.replace("c", "\u00e7"),
    "".join(f"%{ord(one):02x}" for one in KEY), "".join(f"\\u{ord(one):04x}" for one in KEY),
)  # fmt: skip
"""A key as somebody may have pasted it into a name."""


def test_a_name_that_holds_the_key_leaves_its_object_out_alone(world: World) -> None:
    """However it is spelled, also where only the key made of the name spells it, and whatever hangs on the object."""
    world.environ["AC_PROD_TOKEN"] = KEY
    urls = (f"https://e.example/?{KEY}=1", f"https://{KEY}.example/x", f"https://e.example/{KEY}?a={KEY}#{KEY}",
            f"https://{KEY}:x@e.example/", f"http://[e.example/{KEY}")  # fmt: skip
    world.account.seed(
        {
            "tags": [{"tag": "VIP", "tagType": "contact"}, *({"tag": one, "tagType": "contact"} for one in SPELLED)],
            "dealGroups": [{"title": one, "currency": "usd"} for one in SPELLED],
            "dealStages": [{"title": "Lead", "group": "1"}],
            "savedResponses": [{"title": one, "subject": "s", "body": "b"} for one in SPELLED],
            "lists": [{"name": one, "stringid": f"l{number}"} for number, one in enumerate(SPELLED)],
            "fields": [{"title": "Tier", "type": "dropdown", "options": list(SPELLED), "relids": ["1"]}],
            "webhooks": [
                {"name": f"w{number}", "url": url, "events": ["subscribe"], "sources": ["public"]}
                for number, url in enumerate(urls)
            ],
        }
    )
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    files = "\n".join(path.read_text("utf-8") for path in sorted(Path(world.folder, "config").rglob("*.yaml")))
    assert "vip: {name: VIP}" in files
    assert "an object of kind tag (id 2) is left out: its name holds a credential" in ran.err
    assert "an object of kind stage (id 1) is left out" in ran.err
    for text in (files, ran.text):
        assert KEY not in text.lower()
        assert KEY[::-1] not in text
    assert world.cli("validate").code == 0
