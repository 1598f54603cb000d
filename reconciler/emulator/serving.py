"""The emulator over HTTP: the default account below /api/3, others below /acct/NAME/api/3, `/_emulator/` to steer
each, and the Partners API, which lists the others.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reconciler.emulator.application import Application, open_account
from reconciler.emulator.gate import ConnectionDropped
from reconciler.emulator.partners import PATH as PARTNERS
from reconciler.emulator.partners import listed
from reconciler.emulator.settings import AccountSettings, Fault

NAMED = re.compile(r"^/acct/([A-Za-z0-9_-]+)(/.*)$")


class Served:
    """The ASGI application of all accounts. Administration needs no token and is not counted by the rate limit."""

    def __init__(self, path: str | Path | None, settings: AccountSettings) -> None:
        self._path = path
        self._settings = settings
        self._accounts: dict[str, Application] = {}

    def account(self, name: str) -> Application:
        """Return an account by name, "" for the default one; a named one begins fresh."""
        if name not in self._accounts:
            path = f"{self._path}.{name}.db" if name and self._path is not None else self._path if not name else None
            self._accounts[name] = open_account(path, settings=self._settings)
        return self._accounts[name]

    def close(self) -> None:
        """Close all accounts."""
        for account in self._accounts.values():
            account.close()

    def names(self) -> list[str]:
        """Return the named accounts: those that were asked for, and those with a file."""
        kept = Path(self._path) if self._path is not None else None
        files = [] if kept is None else [path.name for path in kept.parent.glob(f"{kept.name}.*.db")]
        snapshots = [name[len(kept.name) + 1 : -3] for name in files] if kept is not None else []
        return sorted({*snapshots, *(name for name in self._accounts if name)})

    def _partners(self, request: Request) -> Response:
        """Answer the Partners API; its key is the token of the accounts."""
        if request.method != "GET":
            return JSONResponse({"title": "An error occurred", "status": 405, "detail": "Method Not Allowed"}, 405)
        status, body = listed(
            self.names(), dict(request.query_params), request.headers.get("api-key"), self._settings.token
        )
        return JSONResponse(body, status)

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Route to an account, or to its administration."""
        if scope["type"] != "http":
            return
        whole = scope.get("raw_path", scope["path"].encode()).decode().partition("?")[0]
        if PARTNERS.match(whole):
            await self._partners(Request(scope, receive))(scope, receive, send)
            return
        named = NAMED.match(whole)
        name, path = (named.group(1), named.group(2)) if named else ("", whole)
        account = self.account(name)
        if path.startswith("/_emulator/"):
            response = await administer(account, path.removeprefix("/_emulator/"), Request(scope, receive))
            await response(scope, receive, send)
            return
        try:
            await account.app(scope, receive, send, path)
        except ConnectionDropped:
            # A promised body that never comes makes the server cut the connection.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def administer(account: Application, what: str, request: Request) -> Response:
    """Answer GET/DELETE log, GET/PUT settings, GET/PUT/DELETE faults, POST seed, POST reset, GET visibility, GET
    dump; 400 with a `message` for what is wrong.
    """
    call = f"{request.method} {what.rstrip('/')}"
    try:
        body = json.loads(await request.body() or b"null")
        if call == "GET log":
            return JSONResponse(list(account.log))
        if call == "GET visibility":
            return JSONResponse(account.visibility())
        if call == "GET dump":
            return JSONResponse(account.rows.dump())
        if call == "POST seed":
            return JSONResponse(account.seed(body))
        if not _change(account, call, body):
            return JSONResponse({"message": "Not Found"}, 404)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return JSONResponse({"message": str(error)}, 400)
    return JSONResponse(account.fault_data() if what.startswith("faults") else account.settings.data())


def _change(account: Application, call: str, body: Any) -> bool:
    """Change settings, faults or the whole account; False for a call that there is not."""
    if call == "DELETE log":
        account.log.clear()
    elif call == "PUT settings":
        account.keep(AccountSettings.of({**account.settings.data(), **body}))
    elif call == "PUT faults":
        account.faults = [Fault.of(name) for name in body]
    elif call == "DELETE faults":
        account.faults = []
    elif call == "POST reset":
        account.reset()
    else:
        return call in ("GET settings", "GET faults")
    return True


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens, whose connections send each part of an answer at once: otherwise its second part
    waits 40 ms for word of the first. asyncio sees to it only for sockets that it made itself.
    """
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((host, port))
    listener.listen()
    return listener


def serve(
    path: str | Path | None, host: str, port: int, settings: AccountSettings, ready: Callable[[str], None]
) -> None:
    """Serve until interrupted; `ready` is told the URL once the port is open."""
    import uvicorn

    listener = listening(host, port)
    ready(f"http://{host}:{listener.getsockname()[1]}")
    config = uvicorn.Config(Served(path, settings), log_level="critical", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
