"""Listings in the forms that the sources report and the reference does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.engine.refresh import Refreshed, refresh
from reconciler.model.errors import Limited, Rejected, RemoteError, Unreachable
from reconciler.model.http import Request, Response
from reconciler.model.live import Live
from reconciler.model.snapshot import snapshot
from reconciler.model.values import RemoteId
from reconciler.resources import load_kinds
from reconciler.resources.counts import counted_rows
from tests.loosely import loosely
from tests.quirks.strange import Strange, run

GROUPS = {"groupDefinitions": [{"id": 2, "type_id": 2, "label": "{**DEAL_DEFAULT**}"}]}


def read(remote: Strange, kind: str, *attributes: str) -> Refreshed:
    """Read one kind."""
    return asyncio.run(refresh(remote, load_kinds(), {kind: frozenset(attributes)}))


def lives(remote: Strange, kind: str, *attributes: str) -> list[Live]:
    """Return the live objects of one kind."""
    tables = read(remote, kind, *attributes).tables
    return list(snapshot(load_kinds(), {kind: frozenset(attributes)}, tables).lives[kind])


def rows(count: int, **properties: Any) -> list[dict[str, Any]]:
    """Make rows with ids from 1."""
    return [{"id": str(number), **properties} for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [20, 137, 200])
def test_a_listing_that_knows_no_paging_is_taken_whole(count: int) -> None:
    """Without a total, the same rows again, in another number than asked for, are all there is."""
    fields = rows(count, fieldLabel="x", fieldType="text")
    remote = Strange({"/dealCustomFieldMeta": {"dealCustomFieldMeta": fields}, "/groupDefinitions": GROUPS})
    assert len(lives(remote, "deal_field")) == count


def test_a_full_page_again_and_again_is_no_listing() -> None:
    """Exactly a hundred rows each time may be the first hundred of many: refused."""
    answer = {"dealCustomFieldMeta": rows(100, fieldLabel="x", fieldType="text")}
    remote = Strange({"/dealCustomFieldMeta": answer, "/groupDefinitions": GROUPS})
    unknown = read(remote, "deal_field").tables.unknown
    assert "GET /dealCustomFieldMeta does not add up: 100 objects came twice" in unknown["dealCustomFieldMeta"].reason


def test_pages_of_twenty_are_followed_with_their_sides() -> None:
    """An account that sends 20 rows whatever `limit` says is read to its end, options included (row 3)."""

    def page(query: Any) -> Any:
        offset = int(query["offset"])
        numbers = range(offset + 1, min(offset + 21, 46))
        return {
            "fields": [
                {"id": str(n), "title": f"f{n}", "type": "dropdown", "options": [str(n + 500)]} for n in numbers
            ],
            "fieldOptions": [{"id": str(n + 500), "field": str(n), "value": f"v{n}", "orderid": "0"} for n in numbers],
            "fieldRels": [],
            "meta": {"total": "45"},
        }

    remote = Strange({"/fields": page})
    found = lives(remote, "field")
    assert [loosely(live.attrs["options"])[0]["value"] for live in found] == [f"v{n}" for n in range(1, 46)]
    assert remote.requests == 3


def test_numbered_pages_of_twenty_are_followed() -> None:
    """An account that ignores `page_size` is read to its end, in its own pages (row 3, section 2.30)."""

    def page(query: Any) -> Any:
        first = (int(query["page"]) - 1) * 20 + 1
        return {"data": [{"id": str(n), "attributes": {"name": f"s{n}"}} for n in range(first, min(first + 20, 46))]}

    remote = Strange({"/audiences": page})
    assert [live.attrs["name"] for live in lives(remote, "segment")] == [f"s{n}" for n in range(1, 46)]


def test_the_type_of_a_field_group_is_a_number_in_any_form() -> None:
    """The documented body has a text there (row 12); a word is no type that is known, and no crash."""
    groups = [{"id": n, "type_id": kind, "label": "Buying"} for n, kind in enumerate(("1", 2, "3", "contact"), 1)]
    found = lives(Strange({"/groupDefinitions": {"groupDefinitions": groups}}), "field_group")
    assert [live.attrs["object"] for live in found] == ["contact", "deal", "account", "0"]


@pytest.mark.parametrize("announced", [True, False])
def test_members_are_counted_to_the_end_of_short_pages(announced: bool) -> None:
    """A sub-collection that sends 20 rows whatever `limit` says is counted whole, for blast radii (row 3)."""
    meta = {"meta": {"total": "45"}} if announced else {}
    pages = [{"userGroups": rows(45)[offset : offset + 20], **meta} for offset in (0, 20, 40)]
    sent, _, count = run(counted_rows("/groups/4/userGroups", "userGroups"), *pages)
    assert count == 45
    assert [dict(request.query)["offset"] for request in sent] == (["0"] if announced else ["0", "20", "40"])


def test_options_that_did_not_come_along_are_fetched() -> None:
    """A field that names options which no side array holds is asked for them; otherwise they would be made twice."""
    field = {"id": "7", "title": "Plan", "type": "dropdown", "options": ["1", "2"], "relations": ["9"]}
    options = [{"id": "1", "value": "Free", "orderid": "1"}, {"id": "2", "value": "Pro", "orderid": "2"}]
    remote = Strange(
        {
            "/fields": {
                "fields": [field],
                "fieldRels": [{"id": "9", "field": "7", "relid": "0"}],
                "meta": {"total": "1"},
            },
            "/fields/7/options": {"fieldOptions": options},
        }
    )
    (found,) = lives(remote, "field")
    assert [option["value"] for option in loosely(found.attrs["options"])] == ["Free", "Pro"]
    assert found.attrs["lists"] == "all"


@pytest.mark.parametrize("answer", [403, 404, 405, {"message": "no"}, {"groupMembers": []}])
def test_groups_that_cannot_be_read_leave_the_fields_readable(answer: Any) -> None:
    """Neither form of the group listing answers (row 11): the group is unknown, the field is not."""
    field = {"id": "16", "fieldLabel": "Plan", "fieldType": "text", "knownFieldId": None}
    remote = Strange(
        {
            "/dealCustomFieldMeta": {"dealCustomFieldMeta": [field]},
            "/groupDefinitions": answer,
            "/groupMembers": answer,
        }
    )
    (found,) = lives(remote, "deal_field", "group")
    assert found.attrs["label"] == "Plan"
    assert "group" not in found.attrs


def test_groups_are_found_where_the_reference_lists_them() -> None:
    """`GET /groupMembers` answers groups, `?group_id=` members (row 11, version A)."""

    def members(query: Any) -> Any:
        if "group_id" not in query:
            return GROUPS
        return {"groupMembers": [{"id": 87, "group_id": 2, "rel_id": 16, "ordernum": 1}]}

    field = {"id": "16", "fieldLabel": "Plan", "fieldType": "text", "knownFieldId": None}
    remote = Strange({"/dealCustomFieldMeta": {"dealCustomFieldMeta": [field]}, "/groupMembers": members})
    (found,) = lives(remote, "deal_field", "group")
    assert found.attrs["group"] == RemoteId("field_group", "2")


def test_the_older_name_of_schemas_is_understood() -> None:
    """`objectTypes` instead of `schemas` (section 2.17)."""
    schema = {"id": "uuid-1", "slug": "ticket", "labels": {"singular": "T", "plural": "Ts"}, "fields": []}
    remote = Strange({"/customObjects/schemas": {"objectTypes": [schema], "meta": {"total": 1}}})
    assert [live.attrs["slug"] for live in lives(remote, "custom_object")] == ["ticket"]


@pytest.mark.parametrize("raw", ["1", 1, True])
def test_an_enumeration_is_read_in_any_json_type(raw: Any) -> None:
    """`autoassign` arrives as text, number or flag (sections 1.4 and 2.7)."""
    pipeline = {"id": "4", "title": "Sales", "currency": "USD", "autoassign": raw, "stages": []}
    remote = Strange({"/dealGroups": {"dealGroups": [pipeline], "dealStages": [], "meta": {"total": "1"}}})
    (found,) = lives(remote, "pipeline")
    assert found.attrs["auto_assign"] == "round_robin"


def test_who_sees_a_list_stays_unknown_where_list_groups_are_gone() -> None:
    """`GET /listGroups` is not in the reference; without it lists are still read, and their groups left alone."""
    remote = Strange({"/lists": {"lists": [{"id": "1", "name": "News", "stringid": "news"}], "meta": {"total": "1"}}})
    (found,) = lives(remote, "list", "user_groups")
    assert "user_groups" not in found.attrs


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 410, 422])
def test_a_listing_that_is_refused_is_unknown_and_the_others_are_read(status: int) -> None:
    """The reference documents `400 {}` for nearly every listing (section 1.6), and plans lack features (1.2): whatever
    refuses one kind stops no other, and is never an empty listing.
    """
    remote = Strange({"/calendars": status, "/tags": {"tags": rows(1, tag="VIP", tagType="contact")}})
    reads = {"calendar": frozenset[str](), "tag": frozenset[str]()}
    seen = snapshot(load_kinds(), reads, asyncio.run(refresh(remote, load_kinds(), reads)).tables)
    assert set(seen.unknown) == {"calendar"}
    assert [live.attrs["name"] for live in seen.lives["tag"]] == ["VIP"]
    assert seen.absent == ({"calendar"} if status in (404, 405, 410) else set())


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_fails_for_one_listing_leaves_the_others(status: int) -> None:
    """The kind is unknown; where no listing can be read at all, it is an error that says so."""
    answers = {"/calendars": status, "/tags": {"tags": rows(1, tag="VIP", tagType="contact")}}
    tables = asyncio.run(refresh(Strange(answers), load_kinds(), {"calendar": frozenset(), "tag": frozenset()})).tables
    assert str(status) in tables.unknown["calendars"].reason
    assert [row["tag"] for row in tables.rows["tags"]] == ["VIP"]
    with pytest.raises(Rejected, match=str(status)):
        read(Strange({"/calendars": status, "/users/me": status}), "calendar")


@pytest.mark.parametrize("error", [Unreachable("no connection", sent=False), Limited("429 for ever")])
def test_an_error_of_the_connection_is_no_answer_about_a_kind(error: RemoteError) -> None:
    """Nothing else could be read either: the plan ends."""

    class Broken(Strange):
        async def send(self, request: Request) -> Response:
            raise error

    with pytest.raises(type(error)):
        read(Broken({}), "calendar")


def test_what_no_kind_reads_of_rows_is_not_kept() -> None:
    """The map of links that each row has is let go of, and texts that are the same are one; a text, a list or a number
    of that name stays, as all else does, in the rows and in what came along with them.
    """
    said = {"links": {"options": "https://x/1"}, "fieldLabel": "x", "fieldType": "text", "isRequired": None, "n": 7}
    fields = [{**row, "links": row["links"] if number % 2 else other, "fieldType": "".join(["te", "xt"])}
              for number, (row, other) in enumerate(zip(rows(4, **said), ["0", [], 5, "z"], strict=True))]  # fmt: skip
    remote = Strange({"/dealCustomFieldMeta": {"dealCustomFieldMeta": fields}, "/groupDefinitions": GROUPS})
    found = read(remote, "deal_field").tables.get("dealCustomFieldMeta")
    kept = [
        {name: value for name, value in row.items() if row["links"] != said["links"] or name != "links"}
        for row in fields
    ]
    assert [dict(row) for row in found] == kept
    assert [row.get("links") for row in found] == ["0", None, 5, None]
    assert len({id(row["fieldType"]) for row in found}) == 1
