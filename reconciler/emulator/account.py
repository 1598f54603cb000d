"""One emulated account: its rows, settings and faults, its ASGI application, and what tests may ask of it."""

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
from reconciler.emulator.answers import Answer, Problem, Request, holed
from reconciler.emulator.families import TYPES
from reconciler.emulator.gate import Gate
from reconciler.emulator.rows import Rows
from reconciler.emulator.settings import AccountSettings, Fault
from reconciler.emulator.types import ISO, Type

Scope = Mapping[str, Any]
LONGEST_LOG = 10_000
FIRST_SECOND = 1_590_713_486
"""When an account is born: 2020-05-28, as most recordings."""


class Account:
    """An account kept in a SQLite file. `app` is an ASGI application; `log` holds the last requests; `faults` may
    be changed. Several processes may have the same file open.
    """

    types: Mapping[str, Type] = TYPES

    def __init__(self, path: str | Path | None, settings: AccountSettings | None, clock: Callable[[], float]) -> None:
        self.rows = Rows(path)
        kept = self.rows.fact("settings")
        self.settings = settings or (AccountSettings.of(json.loads(kept)) if kept else AccountSettings())
        self.log: deque[dict[str, Any]] = deque(maxlen=LONGEST_LOG)
        self._gate = Gate(lambda: self.settings, clock, self._work)
        self._requests = 0
        with self.rows.transaction():
            self.rows.refresh()
            if not self.rows.count("groups"):
                seeding.fresh(self)
            self.keep(self.settings)

    @property
    def faults(self) -> list[Fault]:
        """What goes wrong next."""
        return self._gate.faults

    @faults.setter
    def faults(self, faults: list[Fault]) -> None:
        self._gate.faults = faults

    def keep(self, settings: AccountSettings) -> None:
        """Change the settings, for good."""
        self.settings = settings
        with self.rows.transaction():
            self.rows.remember("settings", json.dumps(settings.data()))

    def seed(self, data: Mapping[str, Any]) -> dict[str, int]:
        """Load a seed, see docs/emulator.md, wholly or not at all. Raises ValueError for what is no seed."""
        with self.rows.transaction():
            self.rows.refresh()
            counts = seeding.seed(self, data)
            if "settings" in data:
                self.keep(AccountSettings.of({**self.settings.data(), **data["settings"]}))
        return counts

    def reset(self) -> None:
        """Bring the account back to what a fresh one holds; the settings stay."""
        with self.rows.transaction():
            self.rows.refresh()
            self.rows.clear()
            seeding.fresh(self)
        self.log.clear()

    def close(self) -> None:
        """Close the file."""
        self.rows.close()

    def now(self) -> time.struct_time:
        """The account's time: later by a second with each object that is made or changed, so that dates differ."""
        number = int(self.rows.fact("births", "0")) + 1
        self.rows.remember("births", str(number))
        return time.gmtime(FIRST_SECOND + number)

    def stamp(self) -> str:
        """The account's time as an ISO date."""
        return time.strftime(ISO, self.now())

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
    _, found, short = raw.partition("/api/3/")
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = None
    short = f"/{short}" if found else raw.removesuffix("/api/3")
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
) -> Account:
    """Open the account kept in `path` (None: in memory). Settings that are given replace the kept ones."""
    return Account(path, settings, clock)
