"""Writes are sent only while the lock is held: asked last, when a request has had its turn and has a connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx
import pytest

from reconciler.model.errors import StateError
from reconciler.model.http import Request, delete, get, post, put
from reconciler.remote.client import HANDOVER, Client, Endpoint
from reconciler.remote.guard import Mode
from tests.remote.test_client import Server, Transport, _no_waiting, said
from tests.world import WRITABLE

__all__ = ["_no_waiting"]
pytestmark = pytest.mark.off_contract("bodies and paths stand for any")
WRITES = [post("/tags", {"tag": {}}), put("/tags/1", {"tag": {}}), delete("/tags/1")]


class Lock:
    """A lock that is lost when its clock has come to a time."""

    def __init__(self, until: float) -> None:
        self.now, self.until, self.asked = 0.0, until, list[float]()

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def check(self, seconds: float) -> None:
        self.asked.append(seconds)
        if self.now >= self.until:
            raise StateError("lost")


def client(lock: Lock, transport: httpx.AsyncBaseTransport | None, url: str = "http://a.example", **how: Any) -> Client:
    """A client behind a lock."""
    connection = Endpoint(url, "key", how.pop("rate", None), timeout=30.0)
    return Client(
        connection,
        mode=Mode.WRITE,
        writable=WRITABLE,
        transport=transport,
        fence=lock.check,
        clock=lambda: lock.now,
        sleep=lock.sleep,
        **how,
    )


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_a_lock_that_is_lost_while_a_write_waits_for_its_turn_sends_nothing(write: Request) -> None:
    """The lease is asked about after the pacing, with the time that the write may take."""
    lock, server = Lock(until=1.5), Server([said(200, {}), said(200, {}), said(200, {})])

    async def run() -> None:
        async with client(lock, Transport(server), rate=1.0) as made:
            await made.send(write)
            await made.send(write)
            await made.send(write)

    with pytest.raises(StateError, match="lost"):
        asyncio.run(run())
    assert len(server.seen) == 2
    assert set(lock.asked) == {30.0 + HANDOVER}


@pytest.mark.parametrize("trouble", [said(429, None, retry_after="5"), httpx.ConnectError])
@pytest.mark.parametrize("write", WRITES, ids=str)
def test_a_lock_that_is_lost_between_two_tries_ends_them(write: Request, trouble: Any) -> None:
    """Each try asks."""
    lock, server = Lock(until=100.0), Server([trouble, said(200, {})])
    answered = server.handle_async_request

    async def answer(request: httpx.Request) -> httpx.Response:
        lock.now += 100.0
        return await answered(request)

    server.handle_async_request = answer  # type: ignore[method-assign]

    async def run() -> None:
        async with client(lock, Transport(server)) as made:
            await made.send(write)

    with pytest.raises(StateError, match="lost"):
        asyncio.run(run())
    assert len(server.seen) == 1


def test_reads_and_the_dry_run_need_no_lock() -> None:
    """What cannot change the account is sent all the same."""
    lock, server = Lock(until=0.0), Server([said(200, {}), said(200, {})])

    async def run() -> None:
        async with client(lock, Transport(server)) as made:
            await made.send(get("/tags"))
            await made.send(Request("PUT", "/customObjects/schemas/1", body={}, dry_run=True))

    asyncio.run(run())
    assert (len(server.seen), lock.asked) == (2, [])


@pytest.mark.socket
@pytest.mark.parametrize("asked", [1, 2, 3])
@pytest.mark.parametrize("write", WRITES, ids=str)
def test_a_process_that_freezes_while_it_connects_sends_no_whole_request(write: Request, asked: int) -> None:
    """Over a real connection the lock is asked about once more before the head and before the body: a request without
    its body is none.
    """
    got: list[bytes] = []
    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        with contextlib.suppress(ConnectionResetError):
            while piece := await reader.read(65536):
                got.append(piece)
                if b'"tag"' in piece or piece.startswith(b"DELETE"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            writer.close()
            await writer.wait_closed()

    class Freezing(Lock):
        def check(self, seconds: float) -> None:
            self.now += 1.0
            super().check(seconds)

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            try:
                async with client(Freezing(until=float(asked)), None, url) as made:
                    await made.send(write)
            finally:
                await asyncio.sleep(0)
                await asyncio.gather(*filter(None, served))

    with pytest.raises(StateError, match="lost"):
        asyncio.run(run())
    whole = b"".join(got)
    if write.body is None and asked == 3:
        return  # the head is all that there is to send, and was sent in time
    assert b'"tag"' not in whole
    assert not (write.body is None and whole)
    assert bool(whole) == (asked == 3)
