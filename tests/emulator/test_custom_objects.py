"""Custom objects: schemas, fields, records (section 2.17)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.calling import Api

SCHEMAS = "/customObjects/schemas"


def labels(name: str) -> dict[str, str]:
    """Labels of one name."""
    return {"singular": name, "plural": f"{name}s"}


def field(identity: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    """A field of a schema."""
    return {"id": identity, "labels": labels(identity), "type": kind, **more}


def new_schema(api: Api, *fields: dict[str, Any], slug: str = "my-object") -> Any:
    """Create a schema and return it."""
    return api.make(SCHEMAS, "schema", slug=slug, labels=labels("My Object"), fields=list(fields))


def ids(schema: Any) -> list[str]:
    """The ids of a schema's fields."""
    return [one["id"] for one in schema["fields"]]


def test_the_documented_create(api: Api) -> None:
    """A replay: a UUID, private, RFC3339 with nanoseconds, flags as booleans, a number for the total."""
    relation = {"id": "primary-contact", "labels": labels("Contact"), "namespace": "contacts"}
    sent = {
        "slug": "my-object", "labels": labels("My Object"), "description": "Sample Schema",
        "fields": [field("my-number-field", "number", scale=0)], "relationships": [relation],
    }  # fmt: skip
    made = api.make(SCHEMAS, "schema", **sent)
    assert (len(made["id"]), made["visibility"], made["createdTimestamp"][-1]) == (36, "private", "Z")
    assert made["fields"] == [field("my-number-field", "number", scale=0, required=False)]
    assert made["relationships"] == [{"hasMany": False, **relation}]
    body = api.get(SCHEMAS)
    assert body["schemas"] == [made]
    assert body["meta"] == {"total": 1, "count": 1, "limit": 20, "offset": 0}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"slug": "taken"}, "schema.slug"), ({"slug": ""}, "schema.slug"), ({"labels": None}, "schema.labels"),
        ({"fields": [{"id": "a", "type": "text"}]}, "schema.fields.labels"),
        ({"fields": [field("test-field"), field("test_field")]}, "schema.fields.id"),
        ({"fields": [field("a", labels=labels("Same")), field("b", labels=labels("SAME"))]}, "schema.fields.labels"),
        ({"fields": [field("no spaces")]}, "schema.fields.id"),
    ],
)  # fmt: skip
def test_what_a_schema_must_be(api: Api, change: dict[str, Any], name: str) -> None:
    """A wrong schema is a 422 that names the place as a pointer's value."""
    new_schema(api, slug="taken")
    reply = api("POST", SCHEMAS, {"schema": {"slug": "s", "labels": labels("S"), "fields": [], **change}})
    assert reply.status == 422
    error = reply.body["errors"][0]
    assert error["title"] == f'Invalid value for field "{name}"'
    assert error["source"] == {"type": "pointer", "value": f"/data/attributes/{name.replace('.', '/')}"}


def test_a_body_without_schema_is_a_bad_request(api: Api) -> None:
    """Its 400 has a status and a title."""
    assert api("POST", SCHEMAS, {"schemas": {}}).body == {"errors": [{"status": 400, "title": "Bad Request"}]}


def test_validate_only_changes_nothing(api: Api) -> None:
    """The header makes PUT a dry run: the answer shows what would be, errors are errors, the schema stays."""
    made = new_schema(api, field("a"))
    path, dry = f"{SCHEMAS}/{made['id']}", {"validateOnly": "true"}
    wanted = {"schema": {**made, "fields": [field("a"), field("b")]}}
    assert ids(api("PUT", path, wanted, headers=dry).body["schema"]) == ["a", "b"]
    assert ids(api.get(path)["schema"]) == ["a"]
    assert api("PUT", path, {"schema": {**made, "fields": [field("a", "number")]}}, headers=dry).status == 422
    assert ids(api("PUT", path, wanted).body["schema"]) == ["a", "b"]


def test_fields_that_put_leaves_out_stay(api: Api) -> None:
    """Fields are removed by DELETE only; labels may change; `_` and `-` name the same field."""
    made = new_schema(api, field("a"), field("b-c"))
    sent = {"schema": {**made, "fields": [field("b_c", labels=labels("New"), isRequired=True)]}}
    read = api("PUT", f"{SCHEMAS}/{made['id']}", sent).body["schema"]
    assert sorted(ids(read)) == ["a", "b-c"]
    changed = next(one for one in read["fields"] if one["id"] == "b-c")
    assert (changed["labels"], changed["required"], "isRequired" in changed) == (labels("New"), True, False)


def test_options_get_ids_that_keep_them(api: Api) -> None:
    """Written as values, read with an id; sending the id back keeps the option."""
    made = new_schema(api, field("a", "dropdown", options=[{"value": "x"}, {"value": "y"}]))
    options = made["fields"][0]["options"]
    assert [one["value"] for one in options] == ["x", "y"]
    assert len({one["id"] for one in options}) == 2
    kept = {**options[0], "value": "X"}
    sent = {"schema": {**made, "fields": [field("a", "dropdown", options=[kept, {"value": "z"}])]}}
    after = api("PUT", f"{SCHEMAS}/{made['id']}", sent).body["schema"]["fields"][0]["options"]
    assert after[0] == kept
    assert after[1]["id"] not in {one["id"] for one in options}


def test_a_field_is_deleted_later() -> None:
    """202 at once; marked for a few requests with showFields=all; hidden without; its id is taken until then."""
    api = Api(deletion_polls=2)
    made = new_schema(api, field("a"), field("b"))
    path = f"{SCHEMAS}/{made['id']}"
    reply = api("DELETE", f"{path}/fields/b")
    assert reply.status == 202
    assert [one.get("status") for one in reply.body["schema"]["fields"]] == [None, "marked_for_deletion"]
    assert ids(api.get(path)["schema"]) == ["a"]
    assert ids(api.get(path, showFields="all")["schema"]) == ["a", "b"]
    assert ids(api.get(path, showFields="all")["schema"]) == ["a"]
    again = api("PUT", path, {"schema": {**made, "fields": [field("a"), field("b")]}})
    assert ids(again.body["schema"]) == ["a", "b"]


def test_the_id_of_a_field_that_is_being_deleted_is_taken(api: Api) -> None:
    """Using it again too early is a 422."""
    made = new_schema(api, field("a"), field("b"))
    api("DELETE", f"{SCHEMAS}/{made['id']}/fields/b")
    reply = api("PUT", f"{SCHEMAS}/{made['id']}", {"schema": {**made, "fields": [field("a"), field("b")]}})
    assert reply.status == 422


@pytest.mark.parametrize("flag", ["required", "isRequired"])
def test_the_flag_of_a_field_has_two_names(flag: str) -> None:
    """Either may be read, both may be written (row 22 of section 7)."""
    api = Api(schema_flag=flag)
    made = new_schema(api, field("a", required=True), field("b", isRequired=True))
    assert [one[flag] for one in made["fields"]] == [True, True]


def test_public_and_child_schemas(api: Api) -> None:
    """Slugs are rewritten, parts of a child are inherited, fields of neither can be deleted."""
    sent = {"slug": "event-tickets", "appId": "studio", "labels": labels("Ticket"), "fields": [field("name")]}
    reply = api("POST", f"{SCHEMAS}/public", {"schema": sent})
    public = reply.body["schema"]
    assert (reply.status, public["visibility"]) == (200, "public")
    assert public["slug"] == f"app-{public['id']}-event-tickets"
    child = api("POST", f"{SCHEMAS}/{public['id']}/child").body["schema"]
    assert (child["slug"], child["parentId"]) == ("app-studio-event-tickets", public["id"])
    assert [one["inherited"] for one in child["fields"]] == [True]
    for schema in (public, child):
        assert api("DELETE", f"{SCHEMAS}/{schema['id']}/fields/name").status == 403


def test_records_go_with_their_schema(api: Api) -> None:
    """Records are counted by an integer total; deleting the schema answers an empty body and takes them."""
    api.account.seed({"schemas": [{"id": "x", "slug": "s", "records": 130}]})
    body = api.get("/customObjects/records/x", limit=100, offset=100)
    assert (body["meta"]["total"], len(body["records"])) == (130, 30)
    reply = api("DELETE", f"{SCHEMAS}/x")
    assert (reply.status, reply.raw) == (200, b"")
    assert api("GET", "/customObjects/records/x").body == {"message": "Not Found"}
    assert api("DELETE", f"{SCHEMAS}/x").body == {"message": "Not Found"}
