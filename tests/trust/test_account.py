"""The right account, and nothing that could reach a person."""

from __future__ import annotations

import re

import pytest

from reconciler.model.http import Request
from reconciler.remote.guard import Forbidden, Mode, check, paths
from tests.contract.checker import Contract
from tests.world import WRITABLE, World

PROJECT = """\
version: 1
environments:
  demo: {url: "emulator:state/account.db", account: acme}
default_environment: demo
"""
READS = ["GET /users/me", "GET /settings/account"]


def test_another_account_gets_no_other_request(world: World) -> None:
    """When /settings/account names another account, plan and apply send the two identity reads and nothing else."""
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}}")
    for argv in (["plan"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"]):
        world.forget()
        ran = world.cli(*argv)
        assert ran.code == 4, ran.text
        assert "this is the account demo" in ran.err
        assert world.requests() == READS


def test_right_account_is_proven_before_anything_is_read(world: World) -> None:
    """When the names agree, the identity reads come first and the plan goes on."""
    world.behave(account="acme")
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}}")
    assert world.plan().lines == ["create tag.a"]
    assert world.requests() == [*READS, "GET /tags"]


def test_key_that_may_not_ask_is_judged_by_the_host(world: World) -> None:
    """/settings/account is for Admins: where it is forbidden the host's name decides, here against."""
    world.behave(account="acme", forbidden=("settings",))
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}}")
    ran = world.cli("plan")
    assert ran.code == 4, ran.text
    assert "may not read /settings/account" in " ".join(ran.err.split())


def test_account_that_does_not_say_its_name_is_judged_by_the_host(world: World) -> None:
    """/settings/account is not in the vendor's OpenAPI file and may be missing: the host decides, here against."""
    world.behave(account="acme", missing=("settings",))
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}}")
    ran = world.cli("plan")
    assert ran.code == 4, ran.text
    assert "/settings/account does not say its name, so the host decides" in " ".join(ran.err.split())


def test_wrong_key_is_told_apart(world: World) -> None:
    """A key that the account refuses is an error of its own, after one read (403 is retried before it is believed)."""
    world.behave(forbidden=("users", "settings", "tags"))
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}}")
    ran = world.cli("plan")
    assert ran.code == 4, ran.text
    assert set(world.requests()) == {"GET /users/me"}


def test_state_of_another_account_is_refused(world: World) -> None:
    """A state that was written for another account stops everything before the first request."""
    world.write("tags: {a: {}}")
    world.apply()
    world.write(PROJECT.replace("account.db", "other.db").replace(", account: acme", ""), "reconciler.yaml")
    world.forget()
    ran = world.cli("plan")
    assert ran.code == 1, ran.text
    assert "belongs to" in ran.err
    assert world.requests() == []


CONFIGURATION = re.compile(
    r"/(fields|fieldOptions?|fieldRels|groupDefinitions|groupMembers|dealCustomFieldMeta|accountCustomFieldMeta|"
    r"dealGroups|dealStages|dealRoles|dealTasktypes|taskOutcc?omes|tasktypeOutcomeRels|tags|lists|listGroups|webhooks|"
    r"customObjects/schemas|groups|users|addresses|addressLists|addressGroups|calendars|savedResponses|messages|"
    r"personalizations|brandings|connections|eventTracking|eventTrackingEvents|siteTracking|siteTrackingDomains|"
    r"prism|segmentsV2)(/|$)"
)
"""Transcribed from section 2 of the API page, not from the guard. All else is customer data or reaches people."""


def allowed(method: str, path: str) -> bool:
    """Whether an apply may send it."""
    try:
        check(Request(method, path), Mode.WRITE, paths(WRITABLE))
    except Forbidden:
        return False
    return True


def test_no_path_of_the_vendor_can_reach_a_person(api_contract: Contract) -> None:
    """Over every path that the vendor documents: a write passes only where the path is configuration."""
    writes = [
        (method, path.replace("{id}", "7"))
        for path, operations in api_contract.facts.items()
        for method in operations
        if method != "GET"
    ]
    assert len(writes) > 100
    wrong = [f"{method} {path}" for method, path in writes if allowed(method, path) and not CONFIGURATION.match(path)]
    assert wrong == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/campaign"),
        ("PUT", "/campaigns/7/edit"),
        ("POST", "/campaigns/7/copy"),
        ("POST", "/contactAutomations"),
        ("POST", "/contacts"),
        ("POST", "/contact/sync"),
        ("POST", "/contactLists"),
        ("POST", "/contactTags"),
        ("POST", "/import/bulk_import"),
        ("POST", "/form/optin"),
        ("POST", "/forms"),
        ("POST", "/deals"),
        ("POST", "/notes"),
        ("POST", "/fieldValues"),
        ("PATCH", "/deals/bulkUpdate"),
        ("DELETE", "/contacts/7"),
        ("POST", "/lists/exclusions"),
        ("POST", "/customObjects/records/7"),
        ("POST", "/sms"),
    ],
)
def test_sending_enrolling_and_importing_cannot_be_called(method: str, path: str) -> None:
    """What contacts a person or touches customer data is a crash of the program, in every mode."""
    assert not allowed(method, path)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_written_while_planning(api_contract: Contract, method: str) -> None:
    """In the mode of a plan, no write of any path passes; only the vendor's schema dry run does."""
    for path in api_contract.facts:
        with pytest.raises(Forbidden):
            check(Request(method, path.replace("{id}", "7")), Mode.READ)
    check(Request("PUT", "/customObjects/schemas/7", dry_run=True), Mode.READ)
