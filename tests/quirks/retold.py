"""An emulated account behind somebody who changes what it is told and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, MutableMapping
from typing import Any
from unittest.mock import patch

from tests.world import World

Retell = Callable[[Any], Any]
Message = MutableMapping[str, Any]


def unchanged(body: Any) -> Any:
    """Change nothing."""
    return body


def retold(world: World, *, told: Retell = unchanged, answered: Retell = unchanged) -> Any:
    """Return a patch under which bodies of writes reach the account as `told` makes them, and bodies of successful
    answers come back as `answered` makes them.
    """
    inner = world.account.app

    async def app(scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any], *rest: Any) -> None:
        given = (await receive()).get("body", b"")
        if given and scope["method"] != "GET":
            given = json.dumps(told(json.loads(given))).encode()
        sent: list[Message] = []

        async def once() -> Message:
            return {"type": "http.request", "body": given, "more_body": False}

        async def keep(message: Message) -> None:
            sent.append(message)

        await inner({**scope, "headers": _sized(scope["headers"], given)}, once, keep, *rest)
        begin, body = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
        if body and begin["status"] < 300:
            body = json.dumps(answered(json.loads(body))).encode()
        await send({**begin, "headers": _sized(begin["headers"], body)})
        await send({"type": "http.response.body", "body": body})

    return patch.object(world.account, "app", app)


def _sized(headers: Any, body: bytes) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(len(body)).encode())]


def rows(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Retell:
    """Change every object of an answer: those of its arrays, and single ones."""

    def retell(body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        return {
            name: [change(one) if isinstance(one, dict) else one for one in part]
            if isinstance(part, list)
            else {key: change(one) for key, one in part.items()}
            if isinstance(part, dict) and part and all(key.isdecimal() for key in part)
            else change(part)
            if isinstance(part, dict) and name != "meta"
            else part
            for name, part in body.items()
        }

    return retell


def values(change: Callable[[str, Any], Any]) -> Retell:
    """Change every value of every object of an answer, inner ones too; `change` knows the property's name."""

    def inside(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: inside(key, part) for key, part in value.items()}
        return [inside(name, part) for part in value] if isinstance(value, list) else change(name, value)

    return rows(lambda row: {name: inside(name, value) for name, value in row.items()})


def texts(change: Callable[[str], str]) -> Retell:
    """Change every text of a body."""

    def retell(body: Any) -> Any:
        if isinstance(body, dict):
            return {name: retell(part) for name, part in body.items()}
        if isinstance(body, list):
            return [retell(part) for part in body]
        return change(body) if isinstance(body, str) else body

    return retell


def total(change: Callable[[Any], Any]) -> Retell:
    """Change `meta.total`; None takes it away."""

    def retell(body: Any) -> Any:
        meta = body.get("meta") if isinstance(body, dict) else None
        if not isinstance(meta, dict) or "total" not in meta:
            return body
        found = {**meta, "total": change(meta["total"])}
        return {**body, "meta": {name: value for name, value in found.items() if value is not None}}

    return retell
