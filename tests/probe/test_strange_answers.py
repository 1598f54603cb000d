"""Accounts that answer what nobody expects: a probe repeats no text of theirs, and removes what it made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.emulator import AccountSettings
from reconciler.remote.client import in_process
from reconciler.render.findings import html, markdown
from reconciler.workflow.probe import probing
from reconciler.workflow.probe.report import Asked
from tests.probe.probes import dump, left_over, probed_world
from tests.world.clock import run

PROJECT = "version: 1\nenvironments: {demo: {url: 'https://acct.example', token: emulator-token}}\n"
WHO = "Jane Canary <jane.canary@person.example>"
Change = Callable[[httpx.Request, Any], Any]


class Strange(httpx.AsyncBaseTransport):
    """A connection on which the bodies of answers are changed, and headers name a person."""

    def __init__(self, inner: httpx.AsyncBaseTransport, change: Change, headers: dict[str, str]) -> None:
        self.inner, self.change, self.headers = inner, change, headers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        content = await answer.aread()
        body = self.change(request, json.loads(content)) if content else None
        return httpx.Response(answer.status_code, json=body, headers=self.headers)


def _probed(folder: Path, change: Change, headers: dict[str, str]) -> tuple[str, dict[str, list[Any]]]:
    """Return all that a probe says and keeps of such an account, and what is left over in it."""
    with probed_world(folder, AccountSettings()) as world:
        world.write(PROJECT, "reconciler.yaml")
        before, session, said = dump(world), world.session(), list[str]()
        strange = Strange(in_process(world.account.app), change, headers)
        session = replace(session, runtime=replace(session.runtime, transport=strange))
        report = run(probing.probe(session, Asked(), say=said.append))
        kept = [path.read_text("utf-8") for path in (world.folder / ".reconciler").rglob("*.json*") if path.is_file()]
        texts = [report.model_dump_json(), *said, *kept, markdown(report), html(report)]
        return "\n".join(texts), left_over(before, dump(world))


def _named(value: Any, at: str = "") -> Any:
    """Return an answer in which every text but ids and what the probe wrote names a person."""
    if isinstance(value, dict):
        return {name: _named(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, at) for inner in value]
    own = at == "id" or (isinstance(value, str) and "zz-probe" in value)
    return WHO if isinstance(value, str) and not own else value


def test_a_report_repeats_no_text_of_the_account(tmp_path: Path) -> None:
    """Whatever an account answers, in bodies and headers: what is found is said in words of this program."""
    headers = {"ratelimit-limit": WHO, "x-request-id": WHO, "retry-after": WHO}
    text, _ = _probed(tmp_path, lambda request, body: _named(body), headers)
    assert "created_status" in text
    assert "canary" not in text.lower()


@pytest.mark.parametrize("path", ["tags", "fields", "dealRoles", "dealGroups", "webhooks"])
def test_what_has_another_id_than_was_answered_is_removed(tmp_path: Path, path: str) -> None:
    """Nothing has the id that the answer to a create told: it is looked for by name, and nothing else is touched."""

    def change(request: httpx.Request, body: Any) -> Any:
        if request.method == "POST" and request.url.path.endswith(f"/{path}"):
            for value in body.values() if isinstance(body, dict) else ():
                if isinstance(value, dict) and "id" in value:
                    value["id"] = "777"
        return body

    _, left = _probed(tmp_path, change, {})
    assert left == {}
