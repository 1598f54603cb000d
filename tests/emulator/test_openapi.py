"""Reads of the emulator against the response examples of the vendor's OpenAPI file, where that file is present."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from reconciler.emulator.families import TYPES
from tests.contract.checker import OPENAPI_FILE
from tests.emulator.calling import Api

# What examples show and reads lack, because recordings contradict it or it is computed from customer data.
ABSENT: dict[str, set[str]] = {
    "lists": {"non_deleted_subscribers", "active_subscribers"},
    "groupDefinitions": {"created_by", "updated_by"},
    "deals": set(),
}
CUSTOMER_DATA = {
    "contacts",
    "deals",
    "ecomCustomers",
    "contactTags",
    "contactLists",
    "fieldValues",
    "dealTasks",
    "campaigns",
}
"""Emulated as far as they are counted."""
SEEDED = [path for path, kind in TYPES.items() if "list" in kind.does and path not in CUSTOMER_DATA]


@functools.cache
def example(path: str) -> tuple[str, Any] | None:
    """Return the first row of the documented answer of a listing, and where it is; None if none is documented."""
    operation = json.loads(OPENAPI_FILE.read_text("utf-8"))["paths"].get(f"/{path}", {}).get("get", {})
    for content in operation.get("responses", {}).get("200", {}).get("content", {}).values():
        for one in content.get("examples", {}).values():
            try:
                body = one["value"] if isinstance(one["value"], dict) else json.loads(one["value"])
            except ValueError:
                continue
            if body.get(path):
                return path, body[path][0]
    return None


@pytest.mark.skipif(not OPENAPI_FILE.exists(), reason="the vendor's OpenAPI file is not beside the project")
@pytest.mark.parametrize("path", SEEDED)
def test_reads_have_the_documented_properties(path: str) -> None:
    """Each property of the documented example of a listing is in the emulator's rows, with a like type."""
    documented = example(path)
    if documented is None:
        assert path in UNDOCUMENTED, f"no example of GET /{path}: name it in UNDOCUMENTED"
        return
    api = Api()
    kind = TYPES[path]
    api.account.seed({path: [{"id": "77", **dict.fromkeys(kind.required, "1")}]})
    row = next(one for one in api.get(f"/{path}", limit=100)[path] if str(one["id"]) == "77")
    missing = set(documented[1]) - set(row) - ABSENT.get(path, set())
    assert not missing


UNDOCUMENTED = {
    "listGroups", "dealGroupUsers", "dealGroupGroups", "userGroups", "groupDefinitions", "groupMembers", "webhooks",
    "templates", "segments", "automationBlocks", "goals", "campaignLists", "configs", "accounts",
}  # fmt: skip
"""Listings without a readable example: undocumented ones, one that documents another's rows, one that is no JSON."""
