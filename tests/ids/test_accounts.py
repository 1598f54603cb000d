"""The ids in the files are those of the account, for every kind, after whatever was done to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.resources import load_kinds
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "everything" / "config"
WHERE: dict[str, tuple[str, str, str]] = {
    "account_fields.headcount": ("accountCustomFieldMeta", "fieldLabel", "Headcount"),
    "addresses.headquarters": ("addresses", "companyName", "Example Shop"),
    "calendars.deals": ("calendars", "title", "Deals of the team"),
    "connections.shop": ("connections", "externalid", "shop-1"),
    "custom_objects.event_ticket": ("schemas", "slug", "event-ticket"),
    "deal_fields.contract_value": ("dealCustomFieldMeta", "fieldLabel", "Contract value"),
    "deal_roles.finance": ("dealRoles", "title", "Finance"),
    "field_groups.buying": ("groupDefinitions", "label", "Buying"),
    "fields.plan_tier": ("fields", "title", "Plan tier"),
    "fields.plan_tier.options.Pro": ("fieldOptions", "value", "Pro"),
    "fields.plan_tier.options.ent": ("fieldOptions", "value", "ent"),
    "lists.newsletter": ("lists", "stringid", "newsletter"),
    "messages.welcome": ("messages", "subject", "Welcome"),
    "personalizations.opening_hours": ("personalizations", "tag", "OPENING_HOURS"),
    "pipelines.sales": ("dealGroups", "title", "Sales"),
    "pipelines.sales.stages.lead": ("dealStages", "title", "Lead"),
    "pipelines.sales.stages.won": ("dealStages", "title", "Won"),
    "saved_responses.thanks": ("savedResponses", "title", "Thanks"),
    "segments.safe_vips": ("segmentsV2", "name", "VIPs that stay"),
    "site_domains.shop": ("urlWhitelistings", "whitelisted_domain", "shop.example"),
    "tags.churn_risk": ("tags", "tag", "Churn risk"),
    "tags.vip": ("tags", "tag", "VIP"),
    "task_outcomes.convinced": ("taskOutcomes", "title", "Convinced"),
    "task_types.demo": ("dealTasktypes", "title", "Product demo"),
    "tracked_events.demo_watched": ("eventTrackingEvents", "name", "watched demo"),
    "user_groups.agents": ("groups", "title", "Agents"),
    "users.jane": ("users", "email", "jane@shop.example"),
    "webhooks.crm_sync": ("webhooks", "name", "CRM sync"),
}
"""Where the account keeps what the example declares: table, property and its value, in the words of the API."""
KEYS = {"tracked_events.demo_watched": "name"}


@pytest.fixture
def everything(world: World) -> Iterator[World]:
    """Two empty accounts, and a project with every kind."""
    shutil.copytree(EXAMPLE, world.folder / "config", dirs_exist_ok=True)
    (world.folder / "config/host.yaml").write_text("variables: {host: {default: shop.example}}", "utf-8")
    text = (world.folder / "config/account.yaml").read_text("utf-8")
    assert "variables:" not in text
    audience = world.folder / "config/audience.yaml"
    audience.write_text(
        audience.read_text("utf-8").replace("variables:\n  host: {description: Domain of the shop}", "")
    )
    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    with hold(world.folder / "state/b.db") as other:
        world.other = other  # type: ignore[attr-defined]
        yield world


def ids(world: World, environment: str = "a", *more: str) -> dict[str, Any]:
    """What `ids` says of an environment, by path."""
    ran = world.cli("-e", environment, "ids", "--lang", "json", *more)
    assert ran.code == 0, ran.text
    found: dict[str, Any] = {}

    def walk(content: dict[str, Any], path: str) -> None:
        for name, value in content.items():
            if isinstance(value, dict):
                found[f"{path}{name}"] = value
                walk(value, f"{path}{name}.")

    walk(json.loads(ran.out)["accounts"][environment], "")
    return {path: value["id"] for path, value in found.items() if "id" in value}


def assert_true(world: World, environment: str, said: dict[str, Any]) -> None:
    """Every id is that of the row which the account keeps."""
    rows = world.account.rows if environment == "a" else world.other.rows  # type: ignore[attr-defined]
    for path, (table, name, value) in WHERE.items():
        held = [row for row in rows.all(table) if str(row.get(name)) == value]
        assert [str(row.get(KEYS.get(path, "id"))) for row in held] == [said[path]], path


def test_ids_are_those_of_the_account_for_every_kind(everything: World) -> None:
    """After an apply, a replacement, an undo, and on the account that was cloned; each kind is in the table."""
    world = everything
    kinds = {name for name, kind in load_kinds().items() if kind.abilities.managed} - {"setting"}
    assert world.cli("apply", "--auto-approve", "-q").code == 0
    first = ids(world)
    assert {world.state().resources[address].kind for address in world.state().resources} - {"setting"} == kinds
    sections = {kind.section for kind in load_kinds().values() if kind.name in kinds and kind.section}
    assert {path.split(".")[0] for path in WHERE} == sections
    assert_true(world, "a", first)

    crm = world.folder / "config/crm.yaml"
    before = crm.read_text("utf-8")
    crm.write_text(
        before.replace("headcount: {label: Headcount, type: number}", "headcount: {label: Headcount, type: text}")
    )
    ran = world.cli("apply", "--auto-approve", "-q")
    assert ran.code == 0, ran.text
    replaced = ids(world)
    assert replaced["account_fields.headcount"] != first["account_fields.headcount"]
    assert_true(world, "a", replaced)

    crm.write_text(before)
    ran = world.cli("undo", "--auto-approve", "-q")
    assert ran.code == 0, ran.text
    assert_true(world, "a", ids(world))

    ran = world.cli("clone", "--from", "a", "--to", "b", "--auto-approve")
    assert ran.code in (0, 4, 5), ran.text
    assert_true(world, "b", ids(world, "b"))


def test_what_is_not_bound_is_looked_for_and_what_is_nowhere_is_refused(world: World) -> None:
    """An object that is there under its name has its id; one that is nowhere is an error that names it, and with
    --partial left out. Nothing is written to the account.
    """
    world.account.seed({"tags": [{"tag": "VIP", "id": "77"}]})
    world.write({"tags": {"vip": {"name": "VIP"}}})
    assert ids(world, "demo") == {"tags.vip": "77"}
    assert world.writes() == []
    world.write({"tags": {"vip": {"name": "VIP"}, "new": {}}})
    ran = world.cli("ids", "--lang", "json")
    assert ran.code == 3
    assert "`demo` has no id for tag.new" in ran.err
    assert ids(world, "demo", "--partial") == {"tags.vip": "77"}
    offline = world.cli("ids", "--lang", "json", "--offline")
    assert offline.code == 3
    assert "`demo` has no id for tag.vip, tag.new" in offline.err


def test_a_state_that_knows_everything_costs_no_request(world: World) -> None:
    """Ids of the state need no account; those of options do, unless they are not asked for."""
    world.write({"tags": {"vip": {}}, "fields": {"size": {"title": "Size", "type": "dropdown", "options": ["S", "M"]}}})
    world.apply()
    world.forget()
    assert set(ids(world, "demo", "--kinds", "tag")) == {"tags.vip"}
    assert set(ids(world, "demo", "--offline")) == {"tags.vip", "fields.size"}
    assert world.requests() == []
    assert set(ids(world, "demo")) == {"tags.vip", "fields.size", "fields.size.options.S", "fields.size.options.M"}
    assert len(world.requests()) == 1


def test_nothing_personal_and_no_secret_is_in_a_file(world: World) -> None:
    """Users are named by their keys; what holds a secret says nothing."""
    world.environ["HOOK_KEY"] = "canary-hook"
    hook = {"name": "x ${secret.HOOK_KEY}", "url": "https://x.example/${secret.HOOK_KEY}", "events": ["subscribe"]}
    world.write(
        {
            "users": {"jane": {"email": "jane@x.example", "username": "jdoe", "group": {"name": "Admin"}}},
            "webhooks": {"hook": {**hook, "sources": ["public"]}},
        }
    )
    world.apply()
    for language in ("python", "typescript", "go", "php", "json", "dotenv"):
        text = world.cli("ids", "--lang", language).out
        assert "jane" in text.lower()
        assert "jane@" not in text
        assert "jdoe" not in text
        assert "secret" not in text
        assert "x.example" not in text


def test_check_fails_where_a_file_is_stale(world: World) -> None:
    """0 for the file of now, 1 with the difference for another one or none; `ids` writes over nothing but its own."""
    world.write({"tags": {"vip": {}}})
    world.apply()
    words = ("ids", "--lang", "python", "--out", "app/ids.py")
    assert world.cli(*words, "--check").code == 1
    assert world.cli(*words).code == 0
    assert world.cli(*words, "--check").code == 0
    world.write({"tags": {"vip": {}, "more": {}}})
    world.apply()
    stale = world.cli(*words, "--check")
    assert stale.code == 1
    assert "more" in stale.out
    (world.folder / "app/ids.py").write_text("import os\n")
    for more in ((), ("--check",)):
        refused = world.cli(*words, *more)
        assert refused.code == 1
        assert "was not written by `ids`" in refused.err
    assert (world.folder / "app/ids.py").read_text() == "import os\n"


def test_outputs_of_the_project(tmp_path: Path) -> None:
    """Without --lang every file that the project lists is written, or checked; environments that there are not, and
    files outside of the project, are errors with their place.
    """
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db"):
        world.write({"tags": {"vip": {}}})
        outputs = (
            "outputs:\n  - {lang: python, file: app/ids.py}\n  - {lang: json, file: ids.json, environments: [b]}\n"
        )
        world.write(TWO_ACCOUNTS + outputs, "reconciler.yaml")
        for name in ("a", "b"):
            assert world.cli("-e", name, "apply", "--auto-approve", "-q").code == 0
        assert world.cli("ids").code == 0
        assert world.cli("ids", "--check").code == 0
        assert list(json.loads((world.folder / "ids.json").read_text())["accounts"]) == ["b"]
        assert "'a'" not in (text := (world.folder / "app/ids.py").read_text())
        assert 'Literal["a", "b"]' in text
        for wrong in (
            "{lang: go, file: ../ids.go}",
            "{lang: go, file: /ids.go}",
            "{lang: go, file: x.go, environments: [c]}",
        ):
            world.write(f"{TWO_ACCOUNTS}outputs:\n  - {wrong}\n", "reconciler.yaml")
            ran = world.cli("ids")
            assert ran.code == 3, wrong
            assert "reconciler.yaml:7" in ran.err, ran.err


OUTPUTS = "outputs:\n  - {lang: python, file: app/ids.py, after_apply: true, environments: [%s], kinds: [%s]}\n"


def test_a_plan_says_which_ids_of_code_it_changes(tmp_path: Path) -> None:
    """A replacement, an object that is made again and a removal name the file, in text and in the document; not where
    the file has no ids of this environment or kind, and an update changes none.
    """
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db"):
        size = {"label": "Size", "type": "number"}
        world.write({"deal_fields": {"size": size, "other": size | {"label": "Other"}}, "tags": {"vip": {}, "old": {}}})
        world.write(TWO_ACCOUNTS + OUTPUTS % ("a", "deal_field, tag"), "reconciler.yaml")
        assert world.cli("apply", "--auto-approve", "-q").code == 0
        world.account.rows.remove("tags", world.state().resources["tag.vip"].id)
        fields = {"size": size | {"type": "text"}, "other": size | {"label": "Another"}}
        world.write({"deal_fields": fields, "tags": {"vip": {}}})
        said = {
            change["address"]: finding["message"]
            for change in json.loads(world.cli("plan", "--format", "json").out)["changes"]
            for finding in change["findings"]
            if "generated code" in finding["message"]
        }
        assert said == {
            "deal_field.size": "this replacement changes an id that generated code uses (app/ids.py)",
            "tag.vip": "this new object changes an id that generated code uses (app/ids.py)",
            "tag.old": "this removal ends an id that generated code uses (app/ids.py)",
        }
        assert "this replacement changes an id that generated code uses (app/ids.py)" in world.cli("plan").out
        assert world.cli("plan", "--out", "p.json").code == 0
        for elsewhere in (("b", "deal_field, tag"), ("a", "webhook")):
            world.write(TWO_ACCOUNTS + OUTPUTS % elsewhere, "reconciler.yaml")
            assert "generated code" not in world.cli("plan").out


def test_files_follow_what_changes_the_account(tmp_path: Path) -> None:
    """Apply, a saved plan, undo, clone and destroy write the file where the project asks for it; one that cannot be
    written is reported, and what was done to the account stays done.
    """
    with new_world(tmp_path / "acme") as world, hold(world.folder / "state/b.db"):
        world.write({"tags": {"vip": {}}})
        world.write(TWO_ACCOUNTS + OUTPUTS % ("a", ""), "reconciler.yaml")
        file = world.folder / "app/ids.py"
        assert "Wrote app/ids.py." in world.cli("apply", "--auto-approve").err
        world.write({"tags": {"vip": {}, "lead": {}}})
        assert world.cli("plan", "--out", "p.json").code == 0
        assert "lead" not in file.read_text()
        assert world.cli("apply", "p.json").code == 0
        assert "lead" in file.read_text()
        assert world.cli("-e", "b", "apply", "--auto-approve").code == 0
        before = file.read_text()
        assert world.cli("clone", "--from", "b", "--to", "a", "--auto-approve").code == 0
        assert file.read_text() == before
        world.write({"tags": {"vip": {}}})
        file.write_text("import os\n")
        ran = world.cli("apply", "--auto-approve")
        assert ran.code == 0
        assert "warning: app/ids.py was not written" in ran.err
        assert file.read_text() == "import os\n"
        file.unlink()
        outside = tmp_path / "outside"
        outside.mkdir()
        file.parent.rmdir()
        file.parent.symlink_to(outside)
        ran = world.cli("undo", "--auto-approve")
        assert ran.code == 0, ran.text
        assert "leads out of the project" in ran.err
        assert list(outside.iterdir()) == []
        file.parent.unlink()
        ran = world.cli("destroy", "--auto-approve")
        assert ran.code == 0
        assert "`a` has no id for tag.vip" in ran.err
        assert not file.exists()


def test_accounts_are_those_of_the_target_branch(tmp_path: Path) -> None:
    """A change may ask for a file, and does not decide from which account or state its ids come."""
    with new_world(tmp_path / "acme") as world, hold(world.folder / "state/b.db"):
        world.write({"tags": {"vip": {}}})
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        (world.folder / "trusted.yaml").write_text(TWO_ACCOUNTS, "utf-8")
        assert world.cli("-e", "b", "apply", "--auto-approve", "-q").code == 0
        state = json.loads((world.folder / "state/b.json").read_text())
        state["resources"]["tag.vip"]["id"] = "666"
        (world.folder / "state/evil.json").write_text(json.dumps(state))
        evil = TWO_ACCOUNTS.replace('b.db"}', 'b.db", state: "file:state/evil.json"}')
        assert evil != TWO_ACCOUNTS
        world.write(evil + "outputs:\n  - {lang: json, file: ids.json, after_apply: true}\n", "reconciler.yaml")
        words = ("apply", "--guards-from", "file:trusted.yaml", "--auto-approve")
        refused = world.cli(*words)
        assert refused.code == 7
        override = next(word for word in refused.text.split() if word.startswith("environment_changed="))
        assert world.cli(*words, "--allow", override.strip(".`")).code == 0
        accounts = json.loads((world.folder / "ids.json").read_text())["accounts"]
        assert {name: one["tags"]["vip"]["id"] for name, one in accounts.items()} == {"a": "1", "b": "1"}


def test_what_an_account_does_not_show_is_an_error(world: World) -> None:
    """A kind that may not be read is no kind without names and options, and an object that is gone has no id."""
    world.write({"fields": {"size": {"title": "Size", "type": "dropdown", "options": ["S", "M"]}}, "tags": {"vip": {}}})
    world.apply()
    whole = ids(world, "demo")
    world.behave(forbidden=("fields",))
    ran = world.cli("ids", "--lang", "python", "--out", "ids.py")
    assert ran.code == 4, ran.text
    assert "`demo` does not show each contact field" in ran.err
    assert not (world.folder / "ids.py").exists()
    assert set(ids(world, "demo", "--offline")) == {"fields.size", "tags.vip"}
    assert set(ids(world, "demo", "--kinds", "tag")) == {"tags.vip"}
    world.behave(forbidden=())
    assert ids(world, "demo") == whole
    more = {"title": "Size", "type": "dropdown", "options": ["S", "M", "L"]}
    world.write({"fields": {"size": more}, "tags": {"vip": {}}})
    for words in ((), ("--offline",)):
        assert "`demo` has no id for field.size (L)" in world.cli("ids", "--lang", "python", *words).err
    world.account.seed({"fieldOptions": [{"field": whole["fields.size"], "value": "by hand", "id": "99"}]})
    world.write({"fields": {"size": more | {"options": ["S", "M"]}}, "tags": {"vip": {}}})
    assert ids(world, "demo") == whole
    world.account.rows.remove("fieldOptions", whole["fields.size.options.M"])
    ran = world.cli("ids", "--lang", "python")
    assert ran.code == 3
    assert "`demo` has no id for field.size (M)" in ran.err
    partly = ids(world, "demo", "--partial")
    assert partly == {path: one for path, one in whole.items() if path != "fields.size.options.M"}
    world.account.rows.remove("fields", whole["fields.size"])
    ran = world.cli("ids", "--lang", "python")
    assert ran.code == 3
    assert "`demo` has no id for field.size" in ran.err
    assert ids(world, "demo", "--partial") == {"tags.vip": whole["tags.vip"]}


def test_keys_of_some_environments_and_of_boards_that_are_not_bound(tmp_path: Path) -> None:
    """What only one environment declares is empty in the other, and no error; stages are found with their pipeline."""
    with new_world(tmp_path / "acme") as world, hold(world.folder / "state/b.db") as other:
        board = {"title": "Sales", "currency": "usd", "stages": {"lead": {"title": "Lead"}, "won": {"title": "Won"}}}
        world.write({"tags": {"vip": {}, "only_a": {}}, "pipelines": {"sales": board}})
        project = TWO_ACCOUNTS.replace('b.db"}', 'b.db", overlays: [b.yaml]}')
        assert project != TWO_ACCOUNTS
        world.write(project, "reconciler.yaml")
        world.write("tags: {only_a: null}", "b.yaml")
        assert world.cli("-e", "a", "apply", "--auto-approve", "-q").code == 0
        other.seed({"tags": [{"tag": "vip", "id": "9"}]})
        stages = [{"title": "Lead", "id": "81"}, {"title": "Won", "id": "82"}]
        other.seed({"dealGroups": [{"title": "Sales", "currency": "usd", "id": "8", "stages": stages}]})
        ran = world.cli("--env", "all", "ids", "--lang", "json")
        assert ran.code == 0, ran.text
        accounts = json.loads(ran.out)["accounts"]
        assert set(accounts["a"]["tags"]) == {"vip", "only_a"}
        assert set(accounts["b"]["tags"]) == {"vip"}
        assert accounts["b"]["tags"]["vip"]["id"] == "9"
        sales = accounts["b"]["pipelines"]["sales"]
        assert (sales["id"], sales["stages"]) == ("8", {"lead": {"id": "81"}, "won": {"id": "82"}})
        text = world.cli("--env", "a,b", "ids", "--lang", "python").out
        assert "self.only_a: Final[Optional[Tag]]" in text
        assert "self.vip: Final = Tag(" in text
        assert world.cli("--env", "a,c", "ids", "--lang", "python").code == 3
