"""What the account will refuse is said before: by the plan, which leaves it out, and as a warning by `validate`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.spec import Default, Doubts, Expected, Takes, attributes
from reconciler.resources import load_kinds
from tests.world import World

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples" / "kinds"
LIST = {"sender_url": "https://acme.example", "sender_reminder": "You signed up."}
SHOP = {"service": "acme", "external_id": "1", "name": "A"}
HOOK = {"name": "H", "events": ["subscribe"], "sources": ["public"]}


def part(key: str = "a", **field: Any) -> dict[str, Any]:
    """Return a custom object with two fields, one of them as given."""
    made = {"type": "text", "labels": {"singular": "a", "plural": "b"}, **field}
    other = {"type": "text", "labels": {"singular": "other", "plural": "others"}}
    labels = {"singular": "x", "plural": "z"}
    return {"custom_objects": {"x": {"slug": "x", "labels": labels, "fields": {"other": other, key: made}}}}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "pipeline-currency": ({"pipelines": {"x": {"title": "X"}}}, "`currency` is documented as required"),
    "pipeline-euro": ({"pipelines": {"x": {"title": "X", "currency": "euro"}}}, "`currency` is not a currency"),
    "connection": (
        {"connections": {"x": {**SHOP, "link_url": "https://acme.example"}}}, "`logo_url` is documented as required",
    ),
    "connection-url": (
        {"connections": {"x": {**SHOP, "link_url": "acme", "logo_url": "https://acme.example"}}},
        "`link_url` is not a web address",
    ),
    "user": ({"users": {"x": {"email": "a@acme.example", "group": {"name": "Admin"}}}}, "`username` is documented"),
    "list": ({"lists": {"x": {"name": "X", "sender_reminder": "r"}}}, "`sender_url` is documented as required"),
    "list-blank": ({"lists": {"x": {"name": "X", **LIST, "sender_url": " "}}}, "`sender_url` cannot be empty"),
    "tag-blank": ({"tags": {"x": {"name": "  "}}}, "`name` is empty"),
    "options-twice": (
        {"fields": {"x": {"title": "X", "type": "dropdown", "options": ["a", {"value": "a", "label": "b"}]}}},
        "has the option `a` twice",
    ),
    "options-separator": (
        {"fields": {"x": {"title": "X", "type": "multiselect", "options": ["a||b"]}}}, "no option can hold `||`",
    ),
    "options-all-that-is-wrong": (
        {"fields": {"x": {"title": "X", "type": "radio", "options": ["x", "a||b", "x", "c||d"]}}},
        "has the option `x` twice, and has the option `a||b`, `c||d`: values are stored",
    ),
    "options-none": ({"fields": {"x": {"title": "X", "type": "dropdown"}}}, "a dropdown needs `options`"),
    "deal-options": (
        {"deal_fields": {"x": {"label": "X", "type": "radio", "options": ["a", "a"]}}}, "has the option `a` twice",
    ),
    "account-options": ({"account_fields": {"x": {"label": "X", "type": "checkbox"}}}, "a checkbox needs `options`"),
    "schema-labels": ({"custom_objects": {"x": {"slug": "x", "labels": {"singular": " ", "plural": "b"}}}},
                      "`labels` has an empty `singular`"),
    "schema-options": (part(type="dropdown", options=["a", "a"]), "`fields.a.options` has the option `a` twice"),
    "schema-options-none": (part(type="multiselect"), "`fields.a`: a multiselect needs `options`"),
    "schema-currency": (
        part(type="currency", default_currency="euro"),
        "`fields.a.default_currency` is not a currency",
    ),
    "schema-label": (part(labels={"singular": "a", "plural": ""}), "`fields.a.labels` has an empty `plural`"),
    "schema-label-twice": (part(labels={"singular": "OTHER", "plural": "b"}), "another field has the same one"),
    "schema-id": (part("a.b"), "`fields.a.b`: ids have letters, digits, - and _ only"),
    "webhook": ({"webhooks": {"x": {**HOOK, "url": "hooks"}}}, "`url` is not a web address"),
    "emails-in-one": (
        {"lists": {"x": {"name": "X", **LIST, "carbon_copy": ["a@x.example,b@x.example"]}}}, "entry with a comma",
    ),
    "webhook-port": ({"webhooks": {"x": {**HOOK, "url": "https://acme.example:8443/h"}}}, "port 443 only"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_the_plan_refuses_and_validate_warns(world: World, case: str) -> None:
    """Exit code 7 before anything is sent; validation, which does not know the account, has nothing against it."""
    content, said = WRONG[case]
    world.write(content)
    checked = world.cli("validate")
    assert checked.code == 0, checked.text
    assert "warning: " in checked.err, checked.text
    planned = world.cli("plan")
    assert planned.code == 7, planned.text
    assert said in " ".join(planned.out.split()), planned.text
    world.forget()
    assert world.cli("apply", "--auto-approve").code == 7
    assert world.writes() == []


def test_the_rest_of_a_plan_is_carried_out(world: World) -> None:
    """What the account would refuse takes its dependants along and nothing else; exit code 7, also of a saved plan."""
    hook = {**HOOK, "url": "https://h.example/in", "list": "x"}
    others = {"webhooks": {"w": hook}, "tags": {"t": {}}}
    world.write({"lists": {"x": {"name": "X"}, "y": {"name": "Why", **LIST}}, **others})
    planned = world.cli("plan", "--out", str(world.folder / "p.json"))
    assert planned.code == 7
    assert "it needs list.x, which was skipped" in planned.out
    assert world.cli("apply", str(world.folder / "p.json")).code == 7
    assert set(world.state().resources) == {"list.y", "tag.t"}
    world.write({"lists": {"x": {"name": "X", **LIST}, "y": {"name": "Why", **LIST}}, **others})
    assert world.cli("apply", "--auto-approve").code == 0
    assert world.plan().empty


OWN: dict[str, dict[str, Any]] = {
    "lists": {"name": "X", "stringid": "x"},
    "fields": {"title": "X", "type": "dropdown", "options": ["a||b", "a||b"]},
    "dealGroups": {"title": "X", "currency": "euro", "stages": []},
    "connections": {"service": "acme", "externalid": "1", "name": "A", "logoUrl": "", "linkUrl": "x"},
    "dealCustomFieldMeta": {"fieldLabel": "X", "fieldType": "radio", "group": "2"},
}


def test_what_equals_the_account_is_never_refused(world: World) -> None:
    """An export of objects that could not be made today plans empty, and their other attributes can be changed."""
    world.account.seed({path: [row] for path, row in OWN.items()})
    exported = world.cli("export")
    assert exported.code == 0, exported.text
    assert world.cli("validate").code == 0
    world.apply()
    assert world.plan().empty
    text = (world.folder / "config" / "lists.yaml").read_text("utf-8")
    assert "sender_url" not in text
    world.write(text.replace("name: X", "name: Z"), "config/lists.yaml")
    changed = world.cli("plan")
    assert changed.code == 0, changed.text
    assert "1 to change" in changed.out


def test_a_change_to_what_is_refused_is_refused(world: World) -> None:
    """Emptied, or given a value that the account does not take."""
    world.write({"pipelines": {"x": {"title": "X", "currency": "eur", "stages": {}}}})
    world.apply()
    for value in ("euro", None, ""):
        world.write({"pipelines": {"x": {"title": "X", "currency": value, "stages": {}}}})
        ran = world.cli("plan")
        assert ran.code == 7, ran.text
    world.write({"pipelines": {"x": {"title": "Z", "stages": {}}}})
    assert world.cli("plan").code == 0


def test_of_a_schemas_fields_only_what_changes_is_judged(world: World) -> None:
    """A field that could not be made today stays, while another one changes; a change to it is refused."""
    bad = {"id": "bad", "labels": {"singular": "Bad", "plural": "Bad"}, "type": "dropdown",
           "options": [{"id": "1", "value": "a"}, {"id": "2", "value": "a"}]}  # fmt: skip
    other = {"id": "o", "labels": {"singular": "O", "plural": "Os"}, "type": "text"}
    world.account.seed(
        {"schemas": [{"slug": "x", "labels": {"singular": "X", "plural": "Xs"}, "fields": [bad, other]}]}
    )
    assert world.cli("export").code == 0
    file = world.folder / "config" / "custom_objects.yaml"
    text = file.read_text("utf-8")
    assert "options: [a, a]" in text
    assert world.cli("plan", "--detailed-exitcode").code == 0
    file.write_text(text.replace("plural: Os", "plural: Others"))
    changed = world.cli("plan")
    assert changed.code == 0, changed.text
    assert "1 to change" in changed.out
    file.write_text(text.replace("plural: Bad", "plural: Bads"))
    assert world.cli("plan").code == 0
    file.write_text(text.replace("[a, a]", "[a, a, b]"))
    refused = world.cli("plan")
    assert refused.code == 7, refused.text
    assert "`fields.bad.options` has the option `a` twice" in " ".join(refused.out.split())


def test_two_ids_that_the_account_takes_for_one_are_an_error_of_the_files(world: World) -> None:
    """One of the two would be lost."""
    content = part("a-b")
    fields = content["custom_objects"]["x"]["fields"]
    fields["a_b"] = {"type": "text", "labels": {"singular": "c", "plural": "d"}}
    world.write(content)
    ran = world.cli("validate")
    assert ran.code == 3, ran.text
    assert "`fields` has `a-b` and `a_b`" in " ".join(ran.text.split())


def _texts() -> list[tuple[str, str]]:
    return [
        (name, one.name)
        for name, kind in load_kinds().items()
        if kind.abilities.managed and kind.section and not kind.variants
        for one in attributes(kind.spec).values()
        if one.shape == "text" and not one.choices and (one.required or one.has(Default))
    ]


@pytest.mark.parametrize(("name", "attribute"), _texts())
def test_a_required_text_that_is_empty_is_an_error_of_the_files(world: World, name: str, attribute: str) -> None:
    """`name: ""` identifies nothing: exit code 3, with the place, for every kind."""
    content = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text("utf-8"))
    entries = content[load_kinds()[name].section]
    entries[next(iter(entries))][attribute] = ""
    world.write(content)
    ran = world.cli("validate")
    assert ran.code == 3, ran.text
    assert re.search(f"`{attribute}`.*(empty|right form|at least)", ran.err), ran.text


def test_every_mark_is_judged(world: World) -> None:
    """No kind's required attribute is forgotten: each says so where it is left out."""
    expected = {name: [one.name for one in attributes(kind.spec).values() if one.has(Expected)]
                for name, kind in load_kinds().items() if kind.abilities.managed}  # fmt: skip
    assert {name for name, found in expected.items() if found} >= {"pipeline", "connection", "list", "user", "message"}


def test_a_refused_operation_that_only_recordings_show_is_told_as_such(world: World) -> None:
    """Field groups: the reference has no update; an account without one says so, and the error explains it."""
    world.write({"field_groups": {"shop": {"label": "Shop", "object": "contact"}}})
    world.apply()
    world.write({"field_groups": {"shop": {"label": "Store", "object": "contact"}}})
    world.fault("fail_before", "^PUT /groupDefinitions", status=405, body={"message": "Method Not Allowed"}, times=9)
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 5, ran.text
    assert "the reference does not list this update" in ran.err + ran.out


MAIL = {"from_name": "A", "from_email": "a@x.example", "reply_to": "a@x.example"}
ODD: dict[str, tuple[dict[str, Any], str]] = {
    "sender": ({"lists": {"x": {"name": "X", **LIST, "sender_url": "notaurl"}}}, "`sender_url` is not a web address"),
    "string-id": ({"lists": {"x": {"name": "X", **LIST, "string_id": "a b"}}}, "`string_id` is not URL-safe"),
    "notify": (
        {"lists": {"x": {"name": "X", **LIST, "carbon_copy": ["a@x.example", "b"]}}}, "something that is not an e-mail",
    ),
    "logo": ({"settings": {"branding": {"site_logo": "logo.png"}}}, "`site_logo` is not a web address"),
    "favicon": ({"settings": {"branding": {"favicon": "x"}}}, "`favicon` is not a web address"),
    "domain": ({"site_domains": {"x": {"domain": "https://x.example"}}}, "`domain` is not a domain"),
    "reply": ({"messages": {"x": {**MAIL, "reply_to": "jane"}}}, "`reply_to` is not an e-mail address"),
    "unseen": ({"tags": {"x": {"name": "\u200b"}}}, "`name` has nothing that can be seen"),
    "blanks": (
        {"fields": {"x": {"title": "X", "type": "dropdown", "options": ["x", "x "]}}}, "differ in outer blanks only",
    ),
    "case": (
        {"deal_fields": {"x": {"label": "X", "type": "radio", "options": ["Yes", "YES"]}}}, "which differ in case only",
    ),
    "entities": (
        {"account_fields": {"x": {"label": "X", "type": "dropdown", "options": ["A & B", "A &amp; B"]}}},
        "which differ in HTML entities only",
    ),
    "schema": (part(type="dropdown", options=["a", "a\u200b"]), "`fields.a.options` has the options"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(ODD))
def test_what_nobody_means_gets_a_word(world: World, case: str) -> None:
    """In validate and in the plan, with the exit code of any other; what the account has already gets none."""
    content, said = ODD[case]
    world.write(content)
    checked = world.cli("validate")
    assert checked.code == 0, checked.text
    assert said in " ".join(checked.err.split()), checked.text
    planned = world.cli("plan")
    assert planned.code == 0, planned.text
    assert said in " ".join(planned.out.split()), planned.text


def test_urls_and_mail_addresses_are_all_looked_at() -> None:
    """Whatever is called one has a rule that says what is none."""
    for kind in load_kinds().values():
        for name, one in kind.attributes.items() if kind.abilities.managed else ():
            what = f"{name} {one.description}".lower()
            meant = one.shape in ("text", "commas") and re.search(
                r"\burls?\b|_url|logo|favicon|e-?mail\b|addresses", what
            )
            if meant:
                assert one.has(Takes, Doubts), (kind.name, name)
