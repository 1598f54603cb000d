"""The checker of requests: what it accepts, what it reports, and that both of its sources agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.openapi_facts import Facts, facts_from_openapi, render
from tests.contract.checker import FACTS_FILE, OPENAPI_FILE, Contract, check_request, corrected, own_contract
from tests.contract.exceptions import CORRECTIONS

Query = dict[str, str]

# Requests of every kind of the core, as recorded or documented.
GOOD: list[tuple[str, str, Query, object]] = [
    ("GET", "/tags", {"limit": "100", "offset": "100"}, None),
    ("GET", "/tags", {"filters[search][eq]": "vip"}, None),
    ("POST", "/tags", {}, {"tag": {"tag": "VIP", "tagType": "contact", "description": ""}}),
    ("PUT", "/tags/31", {}, {"tag": {"tag": "VIP"}}),
    ("DELETE", "/tags/31", {}, None),
    ("POST", "/fields", {}, {"field": {"title": "T", "type": "text", "isrequired": 0, "visible": 1}}),
    ("PUT", "/fields/9", {}, {"field": {"ordernum": 3}}),
    ("POST", "/fieldOption/bulk", {}, {"fieldOptions": [{"field": "9", "value": "a", "label": "A", "orderid": 1}]}),
    ("DELETE", "/fieldOptions/7", {}, None),
    ("POST", "/fieldRels", {}, {"fieldRel": {"field": "9", "relid": "0"}}),
    ("DELETE", "/fieldRels/71", {}, None),
    ("GET", "/fieldValues", {"filters[fieldid]": "9", "filters[val]": "a", "limit": "1"}, None),
    ("POST", "/groupDefinitions", {}, {"groupDefinition": {"label": "Sales", "ordernum": 2, "groupType": 2}}),
    ("GET", "/groupMembers", {"group_id": "1"}, None),
    ("POST", "/groupMembers", {}, {"groupMember": {"rel_id": "9", "ordernum": None, "group_id": "1"}}),
    ("PUT", "/groupMembers/87", {}, {"groupMember": {"rel_id": "9", "group_id": "2"}}),
    ("PUT", "/dealCustomFieldMeta/15", {}, {"dealCustomFieldMetum": {"fieldOptions": ["a"], "isRequired": 1}}),
    ("POST", "/dealGroups", {}, {"dealGroup": {"title": "Sales", "currency": "usd", "users": ["3"], "groups": []}}),
    ("POST", "/dealStages", {"reorder": "1"}, {"dealStage": {"title": "Won", "group": "25", "order": 1}}),
    ("PUT", "/dealStages/5/deals", {}, {"deal": {"stage": "3"}}),
    ("PUT", "/lists/64", {}, {"list": {"name": "News", "sender_reminder": "You signed up."}}),
    ("GET", "/listGroups", {"limit": "100"}, None),
    ("POST", "/listGroups", {}, {"listGroup": {"listid": "10", "groupid": "3"}}),
    ("GET", "/webhook/events", {}, None),
    (
        "POST",
        "/webhooks",
        {},
        {"webhook": {"name": "n", "url": "u", "events": ["sent"], "sources": ["api"], "listid": 1}},
    ),
    ("GET", "/customObjects/schemas", {"limit": "100", "showFields": "all"}, None),
    (
        "POST",
        "/customObjects/schemas",
        {},
        {
            "schema": {
                "slug": "s",
                "fields": [{"id": "f", "type": "dropdown", "required": True, "options": [{"value": "a"}]}],
            }
        },
    ),
    ("DELETE", "/customObjects/schemas/0d1c/fields/seat", {}, None),
    ("PUT", "/taskOutcomes/4", {}, {"taskOutcome": {"sentiment": "Neutral"}}),
    ("POST", "/dealRoles", {}, {"dealRole": {"title": "Champion"}}),
    ("GET", "/users/email/jane%40acme.example", {}, None),
    ("GET", "/users/me", {}, None),
    ("GET", "/settings/account", {}, None),
]

BAD: list[tuple[str, str, Query, object, str]] = [
    ("GET", "/tag", {}, None, "GET /tag: no such path (close: /tags)"),
    ("PATCH", "/tags/1", {}, {"tag": {}}, "PATCH /tags/1: /tags/{id} has DELETE, GET, PUT only"),
    ("POST", "/lists/exclusions", {}, {}, "POST /lists/exclusions: /lists/exclusions has GET only"),
    ("GET", "/tags", {"filter[name]": "x"}, None, "GET /tags: query name 'filter[name]' is not documented"),
    ("POST", "/tags", {"limit": "5"}, {"tag": {}}, "POST /tags: query name 'limit' is not documented"),
    (
        "PUT",
        "/dealCustomFieldMeta/1",
        {},
        {"dealCustomFieldMeta": {}},
        "PUT /dealCustomFieldMeta/1: body has the unknown property 'dealCustomFieldMeta' (close: dealCustomFieldMetum)",
    ),
    ("POST", "/tags", {}, {"tag": {"name": "x"}}, "POST /tags: body.tag has the unknown property 'name'"),
    ("POST", "/tags", {}, {"tag": ["x"]}, "POST /tags: body.tag is not an object"),
    (
        "POST",
        "/fieldOption/bulk",
        {},
        {"fieldOptions": {"value": "x"}},
        "POST /fieldOption/bulk: body.fieldOptions is not an array",
    ),
    (
        "POST",
        "/fieldOption/bulk",
        {},
        {"fieldOptions": [{"value": "x"}, {"order": 1}]},
        "POST /fieldOption/bulk: body.fieldOptions[] has the unknown property 'order' (close: orderid)",
    ),
    ("POST", "/tags", {}, None, "POST /tags: a body is documented and none was sent"),
    ("DELETE", "/tags/1", {}, {"tag": {}}, "DELETE /tags/1: a body was sent and none is documented"),
    ("DELETE", "/tags/", {}, None, "DELETE /tags/: no such path (close: /tags)"),
]


@pytest.fixture(params=["at hand", "own table"])
def contract(request: pytest.FixtureRequest, api_contract: Contract) -> Contract:
    """Both sources: the vendor's file (or the table, where the file is absent), and the project's own table."""
    return api_contract if request.param == "at hand" else own_contract()


@pytest.mark.parametrize(("method", "path", "query", "body"), GOOD, ids=[f"{row[0]} {row[1]}" for row in GOOD])
def test_documented_requests_pass(contract: Contract, method: str, path: str, query: Query, body: object) -> None:
    """Requests that the vendor documents, or that were recorded against it, have no problems."""
    assert contract.check_request(method, path, query, body) == []


@pytest.mark.parametrize(("method", "path", "query", "body", "problem"), BAD, ids=[row[4][:50] for row in BAD])
def test_mistakes_are_named(
    contract: Contract, method: str, path: str, query: Query, body: object, problem: str
) -> None:
    """Each mistake is one problem that names the request, the place in it, and what was probably meant."""
    assert contract.check_request(method, path, query, body) == [problem]


def test_all_problems_are_reported_at_once() -> None:
    """A request with a wrong query name and two wrong properties yields three problems."""
    assert len(check_request("POST", "/tags", {"x": "1"}, {"tag": {"a": 1}, "b": 2})) == 3


def test_corrections_are_needed() -> None:
    """Every correction changes what the vendor's facts allow; one that the file has caught up with must go."""
    facts: Facts = json.loads(FACTS_FILE.read_text(encoding="utf-8"))
    idle = [f"{c.methods} {c.path}" for c in CORRECTIONS if corrected(facts, [c]) == corrected(facts, [])]
    assert idle == []


def test_own_table_is_what_the_vendor_documents() -> None:
    """The table in the project is what the script derives from the vendor's file today."""
    if not OPENAPI_FILE.exists():
        pytest.skip("the vendor's OpenAPI file is not beside the project; facts.json is used unchecked")
    derived = render(facts_from_openapi(json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))))
    assert derived == FACTS_FILE.read_text(encoding="utf-8"), (
        "stale: python -m scripts.openapi_facts FILE > tests/contract/facts.json"
    )


def test_own_table_holds_no_prose() -> None:
    """The table holds names of paths, methods, queries and properties only: nothing in it is longer than a name."""

    def texts(value: object) -> list[str]:
        if isinstance(value, dict):
            return [*value, *(text for inner in value.values() for text in texts(inner))]
        return [text for inner in value for text in texts(inner)] if isinstance(value, list) else [str(value)]

    assert [
        text for text in texts(json.loads(FACTS_FILE.read_text(encoding="utf-8"))) if " " in text or len(text) > 60
    ] == []


def test_a_body_that_forgot_its_wrapper_gets_the_one_of_its_example() -> None:
    """Where the schema lists bare properties and the example wraps them, the wrapped form is the fact."""
    schema = {"properties": {"title": {"type": "string"}, "disabled": {"type": "string"}}}
    content = {"schema": schema, "examples": {"e": {"value": {"taskOutcome": {"title": "x"}}}}}
    document = {"paths": {"/taskOutcomes": {"post": {"requestBody": {"content": {"application/json": content}}}}}}
    body = facts_from_openapi(document)["/taskOutcomes"]["POST"]["body"]
    assert body == {"taskOutcome": {"disabled": None, "title": None}}


def test_facts_file_is_found_beside_the_tests(project_root: Path) -> None:
    """The table lies in the project, so that the checks run where the vendor's file is absent."""
    assert FACTS_FILE.is_relative_to(project_root)
