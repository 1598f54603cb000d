"""One emulated account: who may call, how fast, what goes wrong, and which part answers."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from reconciler.emulator import classic, hooks, objects, seeding
from reconciler.emulator.answers import Answer, Problem
from reconciler.emulator.rows import Rows
from reconciler.emulator.settings import Fault, Settings
from reconciler.emulator.types import EVENTS

Scope = Mapping[str, Any]
LONGEST_LOG = 10_000


class ConnectionDropped(ConnectionError):
    """The emulated connection broke; in process this is what the caller sees."""


class Account:
    """An account kept in a SQLite file. `app` is an ASGI application; `log` holds the last requests; `faults` may
    be changed.
    """

    def __init__(self, path: str | Path | None, settings: Settings | None, clock: Callable[[], float]) -> None:
        self.rows = Rows(path)
        kept = self.rows.fact("settings")
        self.settings = settings or (Settings.of(json.loads(kept)) if kept else Settings())
        self.faults: list[Fault] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=LONGEST_LOG)
        self._clock = clock
        self._recent: deque[float] = deque()
        self._lists: dict[str, Answer] = {}
        if not kept and not self.rows.all("groups"):
            seeding.fresh(self)
        self.keep(self.settings)

    def keep(self, settings: Settings) -> None:
        """Change the settings, for good."""
        self.settings = settings
        self.rows.remember("settings", json.dumps(settings.data()))
        self.rows.commit()

    def seed(self, data: Mapping[str, Any]) -> dict[str, int]:
        """Load a seed, see `seeding`."""
        if "settings" in data:
            self.keep(replace(self.settings, **Settings.of({**self.settings.data(), **data["settings"]}).data()))
        counts = seeding.seed(self, data)
        self.rows.commit()
        return counts

    def reset(self) -> None:
        """Bring the account back to what a fresh one holds; the settings stay."""
        self.rows.clear()
        seeding.fresh(self)
        self.log.clear()
        self.rows.commit()

    def close(self) -> None:
        """Close the file."""
        self.rows.close()

    def stamp(self) -> str:
        """The creation stamp of a row made now: rising by a second with each, so that births differ."""
        number = int(self.rows.fact("births", "0")) + 1
        self.rows.remember("births", str(number))
        return time.strftime("%Y-%m-%dT%H:%M:%S-05:00", time.gmtime(1590713486 + number))

    # --- ASGI ------------------------------------------------------------------------------------------------------

    async def app(
        self,
        scope: Scope,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
        path: str | None = None,
    ) -> None:
        """Answer one HTTP request; `path` overrides the scope's, for accounts below a prefix."""
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = path if path is not None else scope["path"]
        answer = await self._answer(
            scope["method"], path, _query(scope), {k.decode().lower(): v.decode() for k, v in scope["headers"]}, content
        )
        body = (
            b""
            if answer.body is None
            else answer.body
            if isinstance(answer.body, bytes)
            else json.dumps(answer.body).encode()
        )
        headers = {"content-type": "application/json", **answer.headers}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], content: bytes
    ) -> Answer:
        short = re.sub(r"^.*?/api/3(?=/)", "", path)
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = None
        struck = [fault for fault in self.faults if re.search(fault.match, f"{method} {short}") and fault.strikes()]
        answer = await self._with_faults(struck, method, short, query, headers, body)
        self.log.append({"method": method, "path": short, "query": query, "body": body, "status": answer.status})
        return answer

    async def _with_faults(
        self, struck: list[Fault], method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        before, after = [f for f in struck if f.action in _BEFORE], [f for f in struck if f.action not in _BEFORE]
        for fault in before:
            if fault.action == "slow":
                await asyncio.sleep(fault.seconds or 0)
            elif fault.action == "drop_before":
                raise ConnectionDropped("dropped before the work")
            elif fault.action == "rate_limited":
                wait = {} if fault.seconds is None else {"retry-after": f"{fault.seconds:g}"}
                return Answer(429, {"message": "Too many requests"}, wait)
            elif fault.action == "stale_list" and path in self._lists:
                return self._lists[path]
            elif fault.action in ("fail_before", "forbidden", "html"):
                return _failure(fault)
        answer = self._limited(method, path, query, headers, body)
        for fault in after:
            if fault.action == "drop_after":
                raise ConnectionDropped("dropped after the work")
            if fault.action == "fail_after":
                return _failure(fault)
            if fault.action == "truncated":
                return replace(answer, body=json.dumps(answer.body).encode()[:-7])
            if (
                fault.action == "lying_total"
                and isinstance(answer.body, dict)
                and "total" in answer.body.get("meta", {})
            ):
                total = answer.body["meta"]["total"]
                answer.body["meta"]["total"] = type(total)(int(total) + fault.delta)
        return answer

    def _limited(self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: Any) -> Answer:
        """Apply the rate limit: so many requests in any second, `RateLimit-*` headers, `Retry-After` (section 1.8)."""
        limit = self.settings.rate_limit
        if limit is None:
            return self._authorised(method, path, query, headers, body)
        now = self._clock()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        shown = {
            "ratelimit-limit": f"{limit:g}",
            "ratelimit-remaining": str(max(0, int(limit) - len(self._recent) - 1)),
        }
        if len(self._recent) >= limit:
            return Answer(
                429,
                {"message": "Too many requests"},
                {**shown, "retry-after": "1"} if self.settings.retry_after else {},
            )
        self._recent.append(now)
        answer = self._authorised(method, path, query, headers, body)
        return replace(answer, headers={**answer.headers, **shown})

    def _authorised(
        self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        if headers.get("api-token") != self.settings.token:
            return Answer(403, {"message": "Forbidden"})
        try:
            answer = self._route(method, path, query, headers, body)
        except Problem as problem:
            answer = problem.answer
        self.rows.commit()
        if method == "GET" and answer.status == 200:
            self._lists[path] = copy.deepcopy(answer)
        return answer

    def _route(self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: Any) -> Answer:
        parts = [part for part in path.split("/") if part]
        if not parts:
            return Answer(301, None, {"location": "/"})
        if parts[0] in self.settings.missing:
            return Answer(404, {"message": "Not Found"})
        if parts[0] in self.settings.forbidden:
            return Answer(403, {"message": "Forbidden"})
        if parts == ["fieldOption", "bulk"] and method == "POST":
            return hooks.bulk_options(self, body)
        if parts == ["webhook", "events"] and method == "GET":
            return Answer(200, {"webhookEvents": EVENTS, "meta": {"total": len(EVENTS)}})
        if parts[0] == "customObjects":
            return objects.handle(self, method, parts[1:], query, body, headers.get("validateonly") == "true")
        if parts == ["settings", "account"] and method == "GET":
            return Answer(
                200,
                {"account": self.settings.account, "cname": "", "status": "active", "trial": False, "branding": True},
            )
        if parts == ["users", "me"] and method == "GET":
            return Answer(200, {"user": self.rows.get("users", "1")})
        if parts[:2] == ["users", "email"] and method == "GET":
            found = next(self.rows.where("users", email=parts[2]), None)
            return (
                Answer(200, {"user": found})
                if found
                else Answer(404, {"message": f"No Result found for User with id {parts[2]}"})
            )
        if parts == ["groupMembers"] and method == "GET" and "group_id" not in query:
            return Answer(200, {"groupDefinitions": self.rows.all("groupDefinitions")})  # row 11 of section 7
        return classic.handle(self, method, parts, query, body)

    # --- for tests and people --------------------------------------------------------------------------------------

    def visibility(self) -> dict[str, list[str]]:
        """Return what a person would not see in the product: lists, fields, deal and account fields by name
        (section 8.2).
        """
        shown_lists = {row["list"] for row in self.rows.all("listGroups")}
        related = {str(row["field"]) for row in self.rows.all("fieldRels")}
        hidden = {
            "lists": [row["name"] for row in self.rows.all("lists") if row["id"] not in shown_lists],
            "fields": [row["title"] for row in self.rows.all("fields") if row["id"] not in related],
        }
        for path, number in (("dealCustomFieldMeta", 2), ("accountCustomFieldMeta", 3)):
            groups = {str(row["id"]) for row in self.rows.where("groupDefinitions", type_id=number)}
            members = {str(row["rel_id"]) for row in self.rows.all("groupMembers") if str(row["group_id"]) in groups}
            hidden[path] = [
                row["fieldLabel"]
                for row in self.rows.all(path)
                if row["id"] not in members and not row.get("knownFieldId")
            ]
        return hidden

    def fault_data(self) -> list[dict[str, Any]]:
        """The faults as JSON."""
        return [asdict(fault) for fault in self.faults]


_BEFORE = ("slow", "drop_before", "rate_limited", "stale_list", "fail_before", "forbidden", "html")


def _failure(fault: Fault) -> Answer:
    if fault.action == "forbidden":
        return Answer(403, {"message": "Forbidden"})
    if fault.action == "html":
        return Answer(200, b"<!doctype html><title>Login</title>", {"content-type": "text/html"})
    return Answer(fault.status, fault.body)


def _query(scope: Scope) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(scope.get("query_string", b"").decode(), keep_blank_values=True))


def open_account(
    path: str | Path | None = None, *, settings: Settings | None = None, clock: Callable[[], float] = time.monotonic
) -> Account:
    """Open the account kept in `path` (None: in memory). Settings that are given replace the kept ones."""
    return Account(path, settings, clock)
