"""A server that says every secret in every spelling, in every place of an answer: nothing of it comes out anywhere."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, quote_plus

import httpx
import pytest

from reconciler.remote import client
from tests.world import World, new_world

SECRETS = {
    "AC_TOKEN": "canary-token+1/x",
    "AC_OTHER_TOKEN": "canary-other-2",
    "HOOK": 'canary@hook/w+rd&"<7>',
    "NOTE": "canary-line-one\ncanary-line-two",
    "AWS_SECRET_ACCESS_KEY": "canary/aws/secret+key",
    "TF_HTTP_PASSWORD": "canary-tf",
    "DATABASE_URL": "postgres://joe:canary-db%2Fpass@db.example/x",
    "SHOP_API_KEY": "canary-shop-key",
}
VALUES = [value for name, value in SECRETS.items() if name != "DATABASE_URL"] + ["canary-db%2Fpass", "canary-db/pass"]
SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(json.dumps(text).replace("/", "\\/"))[1:-1],
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.splitlines()[-1],
    lambda text: base64.b64encode(f"joe:{text}".encode()).decode(),
    lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex(":").upper(),
]
EVERYTHING = [spell(value) for value in VALUES for spell in SPELLINGS]
SAID = " ; ".join(EVERYTHING)
TRACES = [
    "canary",
    *(base64.b64encode(b"\0" * shift + b"canary").decode()[4 * (shift > 0) : 8] for shift in range(3)),
    "&#99;&#97;&#110;",
    "%63%61%6e",
    b"canary".hex(),
    b"canary".hex(":").upper(),
]
"""What is left of any spelling where anything of it is left."""

PROJECT = """\
version: 1
environments:
  demo: {url: "emulator:state/account.db", token: "${env.AC_TOKEN}"}
  other: {url: "https://acme.api-us1.com", token: "${env.AC_OTHER_TOKEN}"}
default_environment: demo
"""
CONFIG = """\
tags:
  vip: {name: VIP, description: First}
  gone: {name: Gone}
lists:
  news: {name: News, string_id: news, sender_url: "https://acme.example", sender_reminder: You subscribed.}
webhooks:
  crm: {name: CRM, url: "https://hooks.example/ac?key=${secret.HOOK}", events: [subscribe], sources: [public]}
messages:
  m: {subject: S1, from_email: a@e.example, from_name: Al, reply_to: a@e.example, text: "Hi ${secret.NOTE}",
      html: "<p>x</p>"}
"""
COMMANDS = [
    "plan -vv --out p.json",
    "plan -vv --format json",
    "plan -vv --format text=t.txt --format json=j.json --format markdown=m.md --format html=h.html --format sarif",
    "show p.json --format json",
    "show p.json",
    "apply -vv p.json",
    "apply -vv --auto-approve",
    "apply -vv --auto-approve --json",
    "drift -vv --format json",
    "drift -vv",
    "drift --absorb -vv",
    "explain tag.vip -vv --format json",
    "explain webhook.crm -vv",
    "coverage -vv",
    "handbook --out book -vv",
    "snapshot -vv --out s.json",
    "plan --against s.json -vv",
    "export -vv",
    "export -vv --out copy",
    "import tag.vip 1 -vv",
    "rehearse -vv",
    "undo -vv --auto-approve",
    "runs list",
    "runs list --format json",
    "state pull",
    "state list",
    "state history",
    "state check -vv",
    "compare demo demo -vv",
    "destroy -vv --auto-approve",
    "validate --format json",
    "validate --format sarif",
    "graph",
]


class Echo(httpx.AsyncBaseTransport):
    """Answers as the account does, and says secrets where `how` has them."""

    def __init__(self, inner: httpx.AsyncBaseTransport, how: str) -> None:
        self.inner, self.how = inner, how

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.how in ("rows", "names"):
            return await self._rows(request)
        if request.method == "GET" and self.how.startswith("writes"):
            return await self.inner.handle_async_request(request)
        return self._trouble(request)

    def _trouble(self, request: httpx.Request) -> httpx.Response:
        headers = {"location": f"https://{quote(VALUES[0], safe='')}@elsewhere.example/{quote(SAID)}", "x-echo": "x"}
        kind = self.how.rpartition(" ")[2]
        bodies: dict[str, tuple[int, Any]] = {
            "errors": (
                422,
                {"errors": [{"title": SAID, "detail": SAID, "source": {"pointer": one}} for one in EVERYTHING]},
            ),
            "map": (400, {"errors": dict.fromkeys(EVERYTHING, SAID)}),
            "message": (403, {"message": SAID, "error": SAID}),
            "broken": (500, '{"message": "' + SAID),
            "page": (200, f"<html><title>{SAID}</title>"),
            "redirect": (302, {"message": SAID}),
            "soft": (200, {"success": False, "message": SAID}),
            "odd": (200, dict.fromkeys(EVERYTHING, SAID)),
            "long": (422, {"message": "x" * 290 + SAID}),
            "lost": (0, ""),
        }
        status, body = bodies[kind]
        if not status:
            raise httpx.ReadError(SAID, request=request)
        text = body if isinstance(body, str) else json.dumps(body)
        return httpx.Response(status, headers=headers, text=text, request=request)

    async def _rows(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        content = await answer.aread()
        try:
            body = json.loads(content)
        except ValueError:
            return httpx.Response(answer.status_code, content=content, request=request)
        return httpx.Response(answer.status_code, json=self._echoed(body), request=request)

    def _echoed(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._echoed(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._echoed(item, name) for item in value]
        free = ("description", "sender_reminder", "fromname", "reply2", "preheader_text")
        names = ("tag", "name", "title", "subject")
        if isinstance(value, str) and name in (free if self.how == "rows" else (*free, *names)):
            return f"{value} {SAID}"
        return value


HOWS = ["rows", "names"] + [
    f"{where} {kind}"
    for where in ("all", "writes")
    for kind in ("errors", "map", "message", "broken", "page", "redirect", "soft", "odd", "long", "lost")
]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[World]:
    """An account that was applied, and that differs by now."""
    with new_world(tmp_path / "project", project=PROJECT) as world:
        world.account.keep(
            world.account.settings.__class__(**{**vars(world.account.settings), "token": SECRETS["AC_TOKEN"]})
        )
        world.environ |= SECRETS
        world.write(CONFIG)
        assert world.cli("apply", "--auto-approve").code == 0
        world.write(
            CONFIG.replace("First", "Second")
            .replace("  gone: {name: Gone}\n", "  new: {name: New}\n")
            .replace("S1", "S2")
        )
        yield world


def artefacts(world: World) -> dict[str, str]:
    """Return every file that commands wrote: of the project's own, the configuration is left out."""
    files = [path for path in world.folder.rglob("*") if path.is_file() and path.suffix != ".db"]
    return {str(path.relative_to(world.folder)): path.read_text("utf-8", "replace") for path in files}


def _heard(world: World, how: str, commands: list[str]) -> list[str]:
    """Run commands against a server that says secrets so, and return what came out, with its surroundings."""
    inner, found = client.in_process, []
    with patch.object(client, "in_process", lambda app: Echo(inner(app), how)):
        for command in commands:
            ran = world.cli(*command.split())
            found += [f"{command}: {trace}: {_around(ran.text, trace)}" for trace in TRACES if trace in ran.text]
    for name, text in artefacts(world).items():
        found += [f"{name}: {trace}: {_around(text, trace)}" for trace in TRACES if trace in text]
    return found


@pytest.mark.parametrize("how", ["names", "writes long"])
def test_what_a_server_says_of_secrets_comes_out_nowhere(filled: World, how: str) -> None:
    """In no output, at -vv, and in no file that a command writes."""
    commands = (
        COMMANDS if how == "names" else [one for one in COMMANDS if one.startswith(("plan", "apply", "undo", "runs"))]
    )
    assert _heard(filled, how, commands) == []


@pytest.mark.prove
@pytest.mark.parametrize("how", HOWS)
def test_no_answer_of_any_kind_lets_a_secret_out(filled: World, how: str) -> None:
    """The same for each kind of trouble, to all requests and to writes alone, over all commands."""
    assert _heard(filled, how, COMMANDS) == []


def _around(text: str, trace: str) -> str:
    place = text.index(trace)
    return repr(text[max(0, place - 80) : place + 60])
