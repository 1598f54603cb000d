"""Every request of every test is checked, and the product cannot reach what sends, enrols or imports."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest

from reconciler.model.http import Request, Response, get, post
from reconciler.remote.client import Client, Endpoint
from reconciler.remote.guard import Forbidden, Mode, check, paths
from scripts.openapi_facts import template
from tests.contract.checker import OPENAPI_FILE, Contract
from tests.contract.watch import watched
from tests.world import WRITABLE, World


def _send(request: Request) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={}, request=request)

    async def run() -> Response:
        connection = Endpoint("https://acme.example", "token", None)
        async with Client(
            connection, mode=Mode.WRITE, writable=WRITABLE, transport=httpx.MockTransport(answer)
        ) as client:
            return await client.send(request)

    asyncio.run(run())


@pytest.mark.off_contract("a wrong name, to see that it is noticed")
def test_what_the_product_sends_is_watched() -> None:
    """The watch sees each request that goes through the client, and names what is wrong with it."""
    with watched() as problems:
        _send(get("/tags", limit="100"))
        assert problems == {}
        _send(post("/tags", {"tag": {"name": "x"}}))
    assert list(problems) == ["POST /tags: body.tag has the unknown property 'name'"]


def test_the_watch_covers_commands(world: World) -> None:
    """Commands go through the same client: a whole apply is watched, and has no problems."""
    world.write("tags: {vip: {}}\nlists: {news: {name: News, sender_url: https://a.example, sender_reminder: R}}")
    with watched() as problems:
        assert world.cli("apply", "--auto-approve").code == 0
        _seen = len(world.writes())
    assert _seen == 3
    assert problems == {}


DOCUMENTED = {
    "fields", "fieldOption", "fieldOptions", "fieldRels", "groupDefinitions", "groupMembers", "dealCustomFieldMeta",
    "accountCustomFieldMeta", "dealGroups", "dealStages", "dealRoles", "dealTasktypes", "taskOutcomes", "taskOutccomes",
    "tasktypeOutcomeRels", "tags", "lists", "listGroups", "webhooks", "groups", "users", "addresses", "addressLists",
    "addressGroups", "calendars", "savedResponses", "messages", "personalizations", "brandings", "connections",
    "eventTracking", "eventTrackingEvents", "siteTracking", "siteTrackingDomains", "segmentsV2",
}  # fmt: skip
"""First path segments of configuration, written down here once more: the guard's own list proves nothing by itself."""
DEEPER = ("/customObjects/schemas", "/prism/urlWhitelistings")
REACHING = re.compile(
    r"contact|campaign|automation|import|sync|send|test|sms|deals?$|dealTasks|notes|ecom|records|bulk(?!$)"
    r"|exclusions|enrol|subscri|scoreValues|customFieldData|fieldValues|accounts|audiences",
    re.IGNORECASE,
)


MOVES = ("PUT /dealStages/{id}/deals", "PUT /dealTasktypes/{id}/dealTasks")
"""Records are moved only where a declaration says so (section 3 of the design)."""


def test_only_configuration_can_be_written(contract_paths: list[tuple[str, str]]) -> None:
    """Over all that the vendor documents: what is not configuration is refused before it is sent, in any mode; what
    sends mail, enrols contacts, imports or touches records is among the refused.
    """
    allowed, refused = set(), set()
    for method, path in contract_paths:
        request = Request(method, path.replace("{id}", "7"), body={})
        try:
            check(request, Mode.WRITE, paths(WRITABLE))
        except Forbidden:
            refused.add(f"{method} {path}")
        else:
            allowed.add(f"{method} {path}")
    configuration = {
        f"{method} {path}"
        for method, path in contract_paths
        if path.split("/")[1] in DOCUMENTED or path.startswith(DEEPER)
    }
    assert sorted(allowed - configuration) == []
    assert [line for line in sorted(allowed) if REACHING.search(line.partition("/")[2]) and line not in MOVES] == []
    assert {"POST /contacts", "DELETE /contacts/{id}", "POST /contactTags", "POST /deals"} <= refused
    assert "DELETE /personalizations/bulkdelete" in refused


def test_a_restore_writes_records_and_nothing_else(contract_paths: list[tuple[str, str]]) -> None:
    """Values, tags, stages of deals and records of custom objects: no contact, no list, no automation, no delete."""
    allowed = set()
    for method, path in contract_paths:
        try:
            check(Request(method, path.replace("{id}", "7"), body={}), Mode.RESTORE)
        except Forbidden:
            continue
        allowed.add(f"{method} {path}")
    assert sorted(line for line in allowed if not line.startswith("GET ")) == [
        "POST /accountCustomFieldData",
        "POST /contactTags",
        "POST /customObjects/records/{id}",
        "POST /dealCustomFieldData",
        "POST /fieldValues",
        "PUT /deals/{id}",
    ]


@pytest.mark.parametrize(
    "path",
    ["/contact/sync", "/import/bulk_import", "/campaigns/1", "/campaign/1/send", "/messages/1/send", "/users/1/invite"],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_sends_or_imports_is_refused_whether_documented_or_not(method: str, path: str) -> None:
    """The guard allows what it knows; it needs no list of what is dangerous."""
    with pytest.raises(Forbidden):
        check(Request(method, path, body={}), Mode.WRITE, paths(WRITABLE))


def test_nothing_but_the_dry_run_is_written_while_planning(contract_paths: list[tuple[str, str]]) -> None:
    """In read mode every documented write is refused; the vendor's validation of schemas is the one exception."""
    for method, path in contract_paths:
        with pytest.raises(Forbidden):
            check(Request(method, path.replace("{id}", "7"), body={}), Mode.READ)
        dry = Request(method, path.replace("{id}", "7"), body={}, dry_run=True)
        if (method, path) == ("PUT", "/customObjects/schemas/{id}"):
            check(dry, Mode.READ)
            continue
        with pytest.raises(Forbidden):
            check(dry, Mode.WRITE, paths(WRITABLE))


@pytest.fixture(scope="session")
def contract_paths(api_contract: Contract) -> list[tuple[str, str]]:
    """Every documented (method, path) that is no read: of the vendor's whole file where it lies beside the project,
    else of the families in the project's table.
    """
    documented = {path: set(operations) for path, operations in api_contract.facts.items()}
    if OPENAPI_FILE.exists():
        for path, operations in json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))["paths"].items():
            documented.setdefault(template(path), set()).update(method.upper() for method in operations)
    writes = {"POST", "PUT", "PATCH", "DELETE"}
    return [(method, path) for path, methods in documented.items() for method in sorted(methods & writes)]
