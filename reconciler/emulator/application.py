"""An emulated account that answers: its ASGI application, its faults, and what tests may ask of it."""

from __future__ import annotations

import json
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from reconciler.emulator import routing, seeding, visibility
from reconciler.emulator.account import Account
from reconciler.emulator.answers import Answer, Problem, Request, holed
from reconciler.emulator.families import TYPES
from reconciler.emulator.gate import Gate
from reconciler.emulator.settings import AccountSettings, Fault

Scope = Mapping[str, Any]
LONGEST_LOG = 10_000


class Application(Account):
    """An account kept in a SQLite file. `app` is an ASGI application; `log` holds the last requests; `faults` may
    be changed. Several processes may have the same file open.
    """

    def __init__(self, path: str | Path | None, settings: AccountSettings | None, clock: Callable[[], float]) -> None:
        super().__init__(path, settings, TYPES)
        self.log: deque[dict[str, Any]] = deque(maxlen=LONGEST_LOG)
        self._gate = Gate(lambda: self.settings, clock, self._work)
        self._requests = 0
        with self.rows.transaction():
            self.rows.refresh()
            if not self.rows.fact("settings"):
                seeding.fresh(self)
            self.keep(self.settings)

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong next."""
        return self._gate.faults

    @faults.setter
    def faults(self, faults: list[Fault]) -> None:
        self._gate.faults = faults

    def seed(self, data: Mapping[str, Any]) -> dict[str, int]:
        """Load a seed, see docs/emulator.md, wholly or not at all. Raises ValueError for what is not a seed."""
        with self.rows.transaction():
            self.rows.refresh()
            counts = seeding.seed(self, data)
            if "settings" in data:
                self.keep(AccountSettings.of({**self.settings.data(), **data["settings"]}))
        return counts

    def give_records(self, path: str, identity: str, records: Mapping[str, Any]) -> None:
        """Give an object customer records, in the words of seeds. Raises ValueError for what it cannot have."""
        with self.rows.transaction():
            self.rows.refresh()
            seeding.give_records(self, path, identity, records)

    def tamper(self, path: str, identity: str, values: Mapping[str, Any] | None) -> None:
        """Change properties of an object as a user of the product does; None removes it. Raises ValueError."""
        with self.rows.transaction():
            self.rows.refresh()
            seeding.tamper(self, path, identity, values)

    def reset(self) -> None:
        """Bring the account back to what a fresh one holds; the settings stay."""
        with self.rows.transaction():
            self.rows.refresh()
            self.rows.clear()
            seeding.fresh(self)
        self.log.clear()

    # --- ASGI ------------------------------------------------------------------------------------------------------

    async def app(
        self,
        scope: Scope,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
        path: str | None = None,
    ) -> None:
        """Answer one HTTP request; `path` overrides the scope's (still encoded), for accounts below a prefix."""
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = read_request(scope, path, content)
        answer = await self._gate.pass_through(request)
        self._note(request, answer)
        self._requests += 1
        headers = {
            "content-type": "application/json",
            "x-request-id": str(uuid.UUID(int=self._requests)),  # recorded, undocumented (row 31 of section 7)
            **answer.headers,
        }
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.content()})

    def _note(self, request: Request, answer: Answer) -> None:
        seen = {"method": request.method, "path": request.path, "query": dict(request.query), "body": request.body}
        self.log.append({**seen, "status": answer.status})

    def _work(self, request: Request) -> Answer:
        try:
            with self.rows.transaction():
                return self._answered(request)
        except OSError as error:
            return Answer(507, {"message": str(error)})

    def _answered(self, request: Request) -> Answer:
        if self.rows.refresh():
            self.settings = AccountSettings.of(json.loads(self.rows.fact("settings", "{}")))
        try:
            answer = routing.route(self, request)
            if request.method == "GET" and self.settings.arrays == "maps":
                answer = replace(answer, body=holed(answer.body))
            return answer
        except Problem as problem:
            return problem.answer

    # --- for tests and people --------------------------------------------------------------------------------------

    def visibility(self) -> dict[str, list[str]]:
        """Return what a person would not see in the product: lists, fields, deal and account fields by name."""
        return visibility.hidden(self)

    def fault_data(self) -> list[dict[str, Any]]:
        """The faults as JSON."""
        return [asdict(fault) for fault in self.faults]


def read_request(scope: Scope, path: str | None, content: bytes) -> Request:
    """Return the request of an ASGI scope. The path is cut down to what follows /api/3, its segments decoded."""
    raw = path if path is not None else scope.get("raw_path", scope["path"].encode()).decode().partition("?")[0]
    _, inside, short = raw.partition("/api/3/")
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = None
    short = f"/{short}" if inside else raw.removesuffix("/api/3")
    return Request(
        scope["method"],
        unquote(short),
        dict(parse_qsl(scope.get("query_string", b"").decode(), keep_blank_values=True)),
        body,
        {name.decode().lower(): value.decode() for name, value in scope["headers"]},
        [unquote(part) for part in short.split("/") if part],
    )


def open_account(
    path: str | Path | None = None,
    *,
    settings: AccountSettings | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Application:
    """Open the account kept in `path` (None: in memory). Settings that are given replace the kept ones."""
    return Application(path, settings, clock)
