"""What the client repeats, what it never repeats, and what it says when the server is not what it should be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import stamina

from reconciler.model.errors import AuthError, Rejected, RemoteError, Unreachable
from reconciler.model.http import Request, Response, delete, get, post, put
from reconciler.remote.client import Client, Connection, base_url
from reconciler.remote.guard import Forbidden, Mode
from reconciler.remote.pacer import Pacer


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retry without sleeping; the number of tries stays what it is."""
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


Answer = tuple[int, dict[str, str], bytes] | type[Exception]


@dataclass
class Server:
    """Answers with the script, one entry a request; an exception class breaks the connection."""

    script: list[Answer]
    seen: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer the next request."""
        self.seen.append(request)
        answer = self.script.pop(0)
        if isinstance(answer, type):
            raise answer("broken", request=request) if issubclass(answer, httpx.RequestError) else answer("broken")
        status, headers, content = answer
        return httpx.Response(status, headers=headers, content=content, request=request)

    async def aclose(self) -> None:
        """Nothing to close."""


class Transport(httpx.AsyncBaseTransport):
    """Lets httpx talk to a `Server`."""

    def __init__(self, server: Server) -> None:
        self.handle_async_request = server.handle_async_request  # type: ignore[method-assign]


def said(status: int, body: Any = None, **headers: str) -> Answer:
    """An answer with a JSON body."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, names, b"" if body is None else json.dumps(body).encode()


def sent(
    *requests: Request, script: list[Answer], mode: Mode = Mode.WRITE, rate: float | None = None
) -> tuple[list[Response], Server, list[tuple[str, float]]]:
    """Send requests one after the other to a scripted server."""
    server, waits = Server(script), []

    async def run() -> list[Response]:
        connection = Connection("https://acme.api-us1.com", "token", rate)
        async with Client(
            connection, mode=mode, transport=Transport(server), on_wait=lambda why, s: waits.append((why, s))
        ) as client:
            return [await client.send(request) for request in requests]

    return asyncio.run(run()), server, waits


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://acme.api-us1.com", "https://acme.api-us1.com/api/3"),
        ("https://acme.api-us1.com/", "https://acme.api-us1.com/api/3"),
        ("https://acme.api-us1.com/api/3/", "https://acme.api-us1.com/api/3"),
        ("http://127.0.0.1:8080/acct/demo/api/3", "http://127.0.0.1:8080/acct/demo/api/3"),
    ],
)
def test_a_path_in_the_url_is_used_as_given(url: str, expected: str) -> None:
    """Without a path, /api/3 is appended (section 4 of the design)."""
    assert base_url(url) == expected


def test_the_key_goes_into_its_header_and_the_query_is_sent() -> None:
    """`Api-Token` is the header (section 1.2 of the API page)."""
    _, server, _ = sent(get("/tags", limit="100"), script=[said(200, {"tags": []})])
    assert server.seen[0].headers["api-token"] == "token"
    assert str(server.seen[0].url) == "https://acme.api-us1.com/api/3/tags?limit=100"


@pytest.mark.parametrize("make", [lambda: get("/tags"), lambda: put("/tags/1", {}), lambda: delete("/tags/1")])
@pytest.mark.parametrize("trouble", [said(503), said(500, {"message": "x"}), httpx.ReadError, httpx.ReadTimeout])
def test_what_can_be_repeated_is_repeated(make: Callable[[], Request], trouble: Answer) -> None:
    """Reads, merge-PUTs and deletes survive a lost answer or a server error."""
    answers, server, _ = sent(make(), script=[trouble, said(200, {})])
    assert answers[0].ok
    assert len(server.seen) == 2


@pytest.mark.parametrize("trouble", [httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.WriteError])
def test_a_post_whose_answer_was_lost_is_never_repeated(trouble: type[Exception]) -> None:
    """There is no idempotency key (section 1.10): only a look at the account can tell."""
    with pytest.raises(Unreachable) as error:
        sent(post("/tags", {}), script=[trouble, said(201, {})])
    assert error.value.sent


def test_a_post_that_failed_on_the_server_is_never_repeated() -> None:
    """The API sometimes answers an error although the work was done (section 1.5)."""
    with pytest.raises(Rejected) as error:
        sent(post("/tags", {}), script=[said(500), said(201, {})])
    assert error.value.status == 500


def test_a_post_that_never_left_is_repeated() -> None:
    """No connection means that nothing was executed."""
    answers, server, _ = sent(post("/tags", {}), script=[httpx.ConnectError, said(201, {})])
    assert answers[0].status == 201
    assert len(server.seen) == 2


@pytest.mark.parametrize(("headers", "least", "most"), [({"retry_after": "7"}, 7, 7), ({}, 0.5, 2)])
def test_429_is_waited_out(headers: dict[str, str], least: float, most: float) -> None:
    """`Retry-After` is honoured; where it is missing the wait is jittered (section 1.8), for a POST too."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def run() -> Response:
        server = Server([said(429, {"message": "slow down"}, **headers), said(201, {})])
        connection = Connection("https://acme.api-us1.com", "token", None)
        async with Client(
            connection, mode=Mode.WRITE, transport=Transport(server), clock=lambda: 0.0, sleep=sleep
        ) as client:
            return await client.send(post("/tags", {}))

    assert asyncio.run(run()).status == 201
    assert least <= slept[0] <= most


def test_a_403_on_a_read_is_believed_the_third_time() -> None:
    """403 is intermittent (section 1.2)."""
    answers, _, _ = sent(get("/tags"), script=[said(403, {"message": "Forbidden"}), said(403), said(200, {"tags": []})])
    assert answers[0].ok
    with pytest.raises(AuthError, match="refuses GET /tags"):
        sent(get("/tags"), script=[said(403)] * 3)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_no_result_found_is_404_whatever_the_status_says(status: int) -> None:
    """The vendor answers four statuses for it (section 1.6); a delete of what is gone has succeeded."""
    answers, _, _ = sent(delete("/tags/31"), script=[said(status, {"message": "No Result found for Tag with id 31"})])
    assert answers[0].status == 404


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"errors": [{"title": "Taken", "detail": "choose another", "source": {"pointer": "/data/title"}}]},
            "Taken: choose another (/data/title)",
        ),
        ({"errors": "Bulk operation failed."}, "Bulk operation failed."),
        ({"message": "Client error:\n `POST x`"}, "Client error: `POST x`"),
        ({"errors": []}, ""),
        ({}, ""),
    ],
)
def test_every_shape_of_error_body_is_read(body: Any, expected: str) -> None:
    """Five shapes are known (section 1.6)."""
    with pytest.raises(Rejected) as error:
        sent(post("/tags", {}), script=[said(422, body)])
    assert error.value.message == "POST /tags was refused (422" + (f": {expected})" if expected else ")")


def test_a_web_page_instead_of_the_api_is_named() -> None:
    """A wrong URL answers HTML; the message says what to check."""
    page: Answer = (200, {"content-type": "text/html"}, b"<!doctype html><title>Login</title>")
    with pytest.raises(RemoteError, match="web page") as error:
        sent(get("/tags"), script=[page] * 3)
    assert "Settings > Developer" in error.value.hint


def test_a_redirect_is_not_followed() -> None:
    """A redirect would lose the method of a write; the address to use is named without its path."""
    with pytest.raises(RemoteError, match=r"https://other\.example"):
        sent(get("/tags"), script=[said(301, None, location="https://other.example/login?token=x")])


def test_json_is_read_whatever_its_content_type() -> None:
    """Several bodies are served as text/plain (section 1.6)."""
    answers, _, _ = sent(get("/tags"), script=[(200, {"content-type": "text/plain"}, b'{"tags": []}')])
    assert answers[0].body == {"tags": []}


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    """A read is repeated; a create is for the applier to settle."""
    broken: Answer = (200, {}, b'{"tags": [{"id"')
    answers, _, _ = sent(get("/tags"), script=[broken, said(200, {"tags": []})])
    assert answers[0].ok
    with pytest.raises(Unreachable):
        sent(post("/tags", {}), script=[broken])


def test_nothing_is_written_while_planning() -> None:
    """Any write in read mode is a crash, and it never reaches the server."""
    for request in (post("/tags", {}), put("/tags/1", {}), delete("/tags/1"), Request("PUT", "/tags/1", dry_run=True)):
        with pytest.raises(Forbidden):
            sent(request, script=[said(200, {})], mode=Mode.READ)


def test_the_schema_dry_run_is_allowed_and_marked() -> None:
    """`validateOnly` is the vendor's own dry run (section 2.17)."""
    _, server, _ = sent(
        Request("PUT", "/customObjects/schemas/1", body={}, dry_run=True), script=[said(200, {})], mode=Mode.READ
    )
    assert server.seen[0].headers["validateonly"] == "true"


@pytest.mark.parametrize(
    "path",
    [
        "/contacts",
        "/contact/sync",
        "/campaigns/1",
        "/contactAutomations",
        "/import/bulk_import",
        "/messages/1/send",
        "/deals",
    ],
)
def test_nothing_that_reaches_people_or_their_data_can_be_called(path: str) -> None:
    """Only configuration is written."""
    with pytest.raises(Forbidden):
        sent(post(path, {}), script=[said(200, {})])


def test_requests_are_spaced_to_the_rate() -> None:
    """Five a second, 2 % wider, in the order of asking; a hold pushes everybody."""
    now, slept = [0.0], []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))

    async def run() -> None:
        pacer = Pacer(5.0, lambda: now[0], sleep)
        for _ in range(3):
            await pacer.wait()
        pacer.hold(10.0)
        await pacer.wait()

    asyncio.run(run())
    assert slept == [0.204, 0.408, 10.0]
