"""The emulator over HTTP, its administration, its command, its page in the docs."""

from __future__ import annotations

import asyncio
import dataclasses
import http.client
import json
import re
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.config import plain_data
from reconciler.emulator import AccountSettings
from reconciler.emulator.serving import Served, listening
from reconciler.emulator.settings import ACTIONS
from tests.emulator.calling import Api
from tests.emulator.served import running


def ask(served: Served, method: str, path: str, body: Any = None, token: str = "emulator-token") -> tuple[int, Any]:
    """Send a request to the application of all accounts and return status and body."""
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode()}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"api-token", token.encode())],
    }  # fmt: skip
    asyncio.run(served(scope, receive, send))
    raw = messages[1]["body"]
    return messages[0]["status"], json.loads(raw) if raw else None


@pytest.fixture
def served() -> Iterator[Served]:
    """Accounts in memory."""
    made = Served(None, AccountSettings())
    yield made
    made.close()


def test_accounts_by_name(served: Served) -> None:
    """Each name has rows and an administration of its own."""
    assert ask(served, "POST", "/acct/demo/api/3/tags", {"tag": {"tag": "A"}})[0] == 201
    assert ask(served, "GET", "/acct/demo/api/3/tags")[1]["meta"]["total"] == "1"
    assert ask(served, "GET", "/api/3/tags")[1]["meta"]["total"] == "0"
    log = ask(served, "GET", "/acct/demo/_emulator/log")[1]
    assert [(row["method"], row["path"], row["status"]) for row in log] == [
        ("POST", "/tags", 201),
        ("GET", "/tags", 200),
    ]
    assert ask(served, "DELETE", "/acct/demo/_emulator/log")[0] == 200
    assert ask(served, "GET", "/acct/demo/_emulator/log")[1] == []


def test_administration(served: Served) -> None:
    """Settings, faults, seeds, resets, visibility, dumps, without a token; what is wrong is 400."""
    assert ask(served, "PUT", "/_emulator/settings", {"list_put": "list"}, token="")[1]["list_put"] == "list"
    assert ask(served, "GET", "/_emulator/settings")[1]["list_put"] == "list"
    assert ask(served, "PUT", "/_emulator/settings", {"nonsense": 1})[0] == 400
    assert ask(served, "POST", "/_emulator/seed", {"lists": [{"name": "L"}]})[1] == {"lists": 1}
    assert ask(served, "POST", "/_emulator/seed", ["nonsense"])[0] == 400
    assert ask(served, "GET", "/_emulator/visibility")[1]["lists"] == ["L"]
    assert [row["name"] for row in ask(served, "GET", "/_emulator/dump")[1]["lists"]] == ["L"]
    assert ask(served, "PUT", "/_emulator/faults", [{"action": "forbidden"}])[1][0]["action"] == "forbidden"
    assert ask(served, "GET", "/api/3/lists")[0] == 403
    assert ask(served, "PUT", "/_emulator/faults", [{"action": "nonsense"}])[0] == 400
    assert ask(served, "DELETE", "/_emulator/faults")[1] == []
    assert ask(served, "POST", "/_emulator/reset")[1]["list_put"] == "list"
    assert ask(served, "GET", "/api/3/lists")[1]["lists"] == []
    assert ask(served, "GET", "/_emulator/nonsense")[0] == 404


@pytest.mark.socket
def test_serve_answers_over_http(tmp_path: Path) -> None:
    """The command serves the API and its administration; a dropped connection is a dropped connection."""
    with running(tmp_path, "--rate-limit", "0", "--token", "my-key", "--db", "a.db") as url:
        request = urllib.request.Request(
            f"{url}/api/3/users/email/jane%40acme.example", headers={"Api-Token": "my-key"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert json.load(reply)["user"]["id"] == "1"
            assert reply.headers["content-type"] == "application/json"
        faults = json.dumps([{"action": "drop_before"}]).encode()
        urllib.request.urlopen(
            urllib.request.Request(f"{url}/_emulator/faults", data=faults, method="PUT"), timeout=10
        ).close()
        with pytest.raises((OSError, http.client.HTTPException)):
            urllib.request.urlopen(request, timeout=10).read()
    assert (tmp_path / "a.db").exists()


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "emulator.md").read_text("utf-8")


def documented(heading: str) -> set[str]:
    """Return the names in the first column of the first table after a heading."""
    rows = PAGE.split(heading, 1)[1].split("\n| ", 2)[2].split("\n\n", 1)[0].split("\n|")
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[0] or row.split("|")[1])}


def test_the_page_names_every_switch_and_fault() -> None:
    """docs/emulator.md lists the settings and the actions that there are, and no others."""
    assert documented("## Switches") == {one.name for one in dataclasses.fields(AccountSettings)}
    assert documented("A fault strikes") == set(ACTIONS)


def test_the_seed_of_the_page_loads(api: Api) -> None:
    """The example brings what its comments say."""
    text = next(block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "tags:" in block)
    data = plain_data(text, "docs/emulator.md")
    assert isinstance(data, dict)
    api.account.seed(data)
    assert api.account.settings.orphan_stages
    assert api.get("/tags/1")["tag"]["subscriber_count"] == "40"
    assert api.get("/contacts", listid=7)["meta"]["total"] == "25"
    assert api.get("/fieldValues", **{"filters[val]": "S"})["meta"]["total"] == "12"
    assert api.get("/deals", **{"filters[status]": "0"})["meta"]["currencies"]["USD"]["value"] == "300000"
    assert api.get("/customObjects/schemas")["schemas"][0]["fields"][0]["required"] is False
    assert api.account.visibility() == {
        "lists": [], "fields": [], "dealCustomFieldMeta": [], "accountCustomFieldMeta": [],
    }  # fmt: skip


@pytest.mark.socket
def test_no_part_of_an_answer_waits_for_word_of_another() -> None:
    """A connection to the emulator sends what is written to it at once: a request took 40 ms otherwise."""
    with listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
