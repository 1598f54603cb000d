"""The public Python clients do all that they can with configuration on the emulator, which they have never heard of."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests import venv
from tests.emulator.served import running

pytestmark = [pytest.mark.socket, pytest.mark.timeout(600)]
HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
VERSIONS = dict(re.findall(r"^([\w-]+)==(\S+)$", REQUIREMENTS.read_text("utf-8"), re.MULTILINE))
READ, MADE, EVERY = "GET", "GET POST", "DELETE GET POST PUT"
DONE = {
    "ac-mcp-server": {
        **dict.fromkeys(("automations", "campaigns", "groups"), READ), **dict.fromkeys(("tags", "fields"), MADE),
        "lists": "GET POST PUT", **dict.fromkeys(("fieldOptions", "fieldRels", "listGroups", "contact"), "POST"),
    },
    "mcp-activecampaign": {
        **dict.fromkeys((
            "accounts", "automations", "campaigns", "connections", "dealCustomFieldMeta", "dealGroups", "dealStages",
            "fields", "forms", "goals", "lists", "scores", "segments", "templates",
        ), READ),
        "tags": MADE, "webhooks": "DELETE GET POST",
    },
    "activecampaign-python": {
        **dict.fromkeys(("addresses", "connections", "customObjects", "fields", "tags", "users", "webhooks"), EVERY),
        **dict.fromkeys(
            ("automations", "campaigns", "dealCustomFieldMeta", "dealGroups", "dealStages", "messages"), READ
        ),
        "lists": "DELETE GET POST", "brandings": "GET PUT", "eventTrackingEvents": MADE,
        **dict.fromkeys(("fieldOption", "fieldRels", "listGroups", "contact"), "POST"),
        **dict.fromkeys(("addressGroups", "addressLists"), "DELETE"),
    },
}  # fmt: skip
"""What each does successfully, as the emulator saw it: first segment of the path, and methods."""
FAULTS: dict[str, set[str]] = {
    # It takes an empty answer, which is what was recorded, for a failure.
    "ac-mcp-server": {"update_list"},
    "mcp-activecampaign": set(),
    # It reads JSON where the answer has no body, asks a path that there is not, and has 17 methods by name only.
    "activecampaign-python": {"customobjects.delete_a_schema", "webhooks.list_all_webhook_events"},
}
"""Where a client fails by itself."""
REFUSED = {
    "activecampaign-python": {("GET", "/webhooks/events"), ("DELETE", "/addressLists/4")},
}
"""Requests that the emulator has to refuse, beside reads of what was deleted."""


@pytest.mark.parametrize("client", DONE)
def test_a_public_client_does_with_configuration_all_that_it_can(
    client: str, tmp_path: Path, record_property: Any
) -> None:
    """Everything that it has for configuration is called and works, but for its own faults, and none is left out."""
    python = venv.python(REQUIREMENTS)
    script = HERE / f"with_{client.replace('-', '_')}.py"
    with running(tmp_path, "--rate-limit", "0", "--db", "a.db") as url:
        done = subprocess.run([python, str(script), url], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr[-3000:]
        with urllib.request.urlopen(f"{url}/_emulator/log", timeout=10) as reply:
            log = json.load(reply)
    found = json.loads(done.stdout)
    assert (found["version"], found["left"], found["unknown"]) == (VERSIONS[client], [], [])
    assert {name for name, said in found["faults"].items() if "NotImplementedError" not in said} == FAULTS[client]
    done_well: dict[str, set[str]] = {}
    for row in log:
        if row["status"] < 300:
            done_well.setdefault(row["path"].split("/")[1], set()).add(row["method"])
    assert {path: " ".join(sorted(methods)) for path, methods in done_well.items()} == DONE[client]
    refused = {(row["method"], row["path"]) for row in log if row["status"] >= 300}
    gone = {("GET", row["path"]) for row in log if row["method"] == "DELETE" and row["status"] < 300}
    assert refused - gone == REFUSED.get(client, set())
    record_property(f"{client} {found['version']}", f"{found['called']} methods called, {len(log)} requests")
