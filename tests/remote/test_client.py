"""What the client repeats, what it never repeats, and what it says when the server is not what it should be."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import itertools
import json
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from reconciler.codehost.calls import Calls
from reconciler.model.errors import AuthError, ReconcilerError, Rejected, RemoteError, Unexpected, Unreachable
from reconciler.model.http import Request, Response, delete, get, post, put
from reconciler.model.redaction import Redactor
from reconciler.model.waits import Endless, whole
from reconciler.remote.answers import MOST_BYTES, retry_after
from reconciler.remote.client import Client, Endpoint, Listeners, base_url
from reconciler.remote.guard import Forbidden, Mode
from reconciler.remote.network import Network
from reconciler.remote.pacer import Pacer
from reconciler.remote.web import HttpWeb
from tests.world import WRITABLE, clock

pytestmark = pytest.mark.off_contract("bodies and paths stand for any")


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

    async def sleep(seconds: float) -> None:
        """Waiting is measured elsewhere."""

    async def run() -> list[Response]:
        connection = Endpoint("https://acme.api-us1.com", "token", rate)
        async with Client(
            connection,
            mode=mode,
            writable=WRITABLE,
            transport=Transport(server),
            listeners=Listeners(on_wait=lambda why, s: waits.append((why, s))),
            sleep=sleep,
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
        connection = Endpoint("https://acme.api-us1.com", "token", None)
        async with Client(
            connection, mode=Mode.WRITE, writable=WRITABLE, transport=Transport(server), clock=lambda: 0.0, sleep=sleep
        ) as client:
            return await client.send(post("/tags", {}))

    assert asyncio.run(run()).status == 201
    assert least <= slept[0] <= most


def test_a_403_on_a_read_is_believed_the_third_time() -> None:
    """403 is intermittent (section 1.2)."""
    answers, _, _ = sent(get("/tags"), script=[said(403, {"message": "Forbidden"}), said(403), said(200, {"tags": []})])
    assert answers[0].ok
    with pytest.raises(AuthError, match="refuses GET /tags"):
        sent(get("/tags"), script=[*[said(403)] * 3, said(200, {"user": {"id": "1"}})])


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


def test_a_wrong_key_costs_a_few_requests_and_not_a_few_for_every_listing() -> None:
    """A first refusal is settled by `GET /users/me`; after that nothing is sent any more."""
    server = Server([said(403, {"message": "Forbidden"})] * 20)

    async def run() -> list[BaseException | Response]:
        async with Client(Endpoint("https://acme.api-us1.com", "token", None), transport=Transport(server)) as client:
            first = await asyncio.gather(client.send(get("/tags")), return_exceptions=True)
            more = (client.send(get(path)) for path in ("/lists", "/fields", "/webhooks"))
            return [*first, *await asyncio.gather(*more, return_exceptions=True)]

    outcomes = asyncio.run(run())
    assert [type(outcome) for outcome in outcomes] == [AuthError] * 4
    assert "does not accept the API key" in str(outcomes[-1])
    assert [request.url.path for request in server.seen] == ["/api/3/tags"] * 3 + ["/api/3/users/me"] * 3


def test_a_key_that_lacks_a_permission_is_not_taken_for_a_wrong_one() -> None:
    """Features that the plan lacks answer 403 as well (section 1.2)."""
    refused, me = said(403, {"message": "Forbidden"}), said(200, {"user": {"id": "1"}})
    with pytest.raises(AuthError, match="refuses GET /dealGroups"):
        sent(get("/dealGroups"), script=[refused, refused, refused, me])


@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_are_both_a_refusal_with_exit_code_4(status: int) -> None:
    """The vendor documents 403 for a wrong key and clients saw 401 (section 1.2)."""
    with pytest.raises(AuthError) as error:
        sent(get("/users/me"), script=[said(status, {"message": "Invalid token"})] * 3)
    assert int(error.value.exit_code) == 4


LEAK = (
    "Client error: `POST https://escape-velocity-grouper.cluster-private.app-us1.com/member` resulted in a "
    '`400 Bad Request` response:\n{"message": {"rel_id": "rel_id is required"}}\n\n'
)


def test_a_validation_error_that_leaks_through_403_is_no_refusal() -> None:
    """The field groups' service answers through the API (section 1.6): its own status and sentence are what counts."""
    with pytest.raises(Rejected) as error:
        sent(post("/groupMembers", {}), script=[said(403, {"message": LEAK})])
    assert error.value.status == 400
    assert error.value.message == "POST /groupMembers was refused (400: rel_id: rel_id is required)"
    with pytest.raises(Rejected):
        sent(get("/groupMembers"), script=[said(403, {"message": LEAK})])


def test_a_refused_write_says_whose_permission_is_missing() -> None:
    """The body of a 403 says no more than "Forbidden"."""
    body = {"errors": [{"status": 403, "title": "Forbidden", "detail": "You do not have permission to create lists."}]}
    with pytest.raises(Rejected) as error:
        sent(post("/lists", {}), script=[(403, {"content-type": "text/plain"}, json.dumps(body).encode())])
    assert "You do not have permission to create lists." in error.value.message
    assert "permission" in error.value.hint


@pytest.mark.parametrize("body", [{"success": False, "message": "Only admin can lock"}, {"succeeded": 0}])
def test_a_success_that_says_it_failed_is_a_failure(body: Any) -> None:
    """Soft failures come with 200 (section 1.5)."""
    with pytest.raises(Rejected, match="was refused"):
        sent(put("/personalizations/1", {}), script=[said(200, body)])
    answers, _, _ = sent(get("/personalizations/1"), script=[said(200, body)])
    assert answers[0].ok


@pytest.mark.parametrize("content", [b"", b"   ", b"{}", b"[]"])
def test_an_empty_body_is_an_answer(content: bytes) -> None:
    """Deletes and PUT /lists answer nothing at all (section 1.5)."""
    answers, _, _ = sent(delete("/fieldOptions/7"), script=[(200, {}, content)])
    assert answers[0].ok
    assert answers[0].row("field") == {}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("999999", 120.0),
        ("Wed, 25 Nov 2026 00:00:10 GMT", 10.0),
        ("Wed, 25 Nov 2020 00:00:10 GMT", 0.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_every_form(header: str, seconds: float | None) -> None:
    """Seconds, fractions of them and HTTP dates; never longer than two minutes, and nonsense counts as missing."""
    now = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC).timestamp()
    assert retry_after({"retry-after": header}, now=lambda: now) == seconds


def test_an_account_that_never_stops_saying_429_is_given_up() -> None:
    """Every loop is bounded."""
    with pytest.raises(RemoteError, match="keeps answering 429"):
        sent(get("/tags"), script=[said(429, None, retry_after="0")] * 8)


def test_after_429_nobody_sends_before_the_time_is_over() -> None:
    """The limit is the account's: requests that were queued already wait too."""
    now = [0.0]
    passed: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        now[0] = max(now[0], now[0] + seconds)

    async def run() -> None:
        pacer = Pacer(5.0, lambda: now[0], sleep)

        async def one() -> None:
            await pacer.wait()
            passed.append(now[0])

        await pacer.wait()
        waiting = [asyncio.create_task(one()) for _ in range(4)]
        await asyncio.sleep(0)
        assert pacer.hold(30.0)
        assert not pacer.hold(30.0)
        await asyncio.gather(*waiting)

    asyncio.run(run())
    assert len(passed) == 4
    assert min(passed) >= 30.0


@pytest.mark.parametrize(
    ("cause", "said_about_it"),
    [
        (socket.gaierror(-2, "Name or service not known"), "there is no host of that name"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "its certificate is not trusted"),
        (ssl.SSLError(1, "wrong version number"), "it does not speak TLS"),
        (ConnectionRefusedError(111, "refused"), "no server accepts connections there"),
    ],
)
def test_a_connection_that_fails_says_why(cause: OSError, said_about_it: str) -> None:
    """Name, certificate, protocol and port are told apart, without the wording of libraries."""

    async def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 99] some wording", request=request) from cause

    async def run() -> None:
        async with Client(
            Endpoint("https://user:password@acme.example", "token", None), transport=httpx.MockTransport(fail)
        ) as client:
            await client.send(get("/tags"))

    with pytest.raises(Unreachable) as error:
        asyncio.run(run())
    assert said_about_it in error.value.message
    assert error.value.message.startswith("acme.example cannot be reached")
    assert "password" not in error.value.message
    assert not error.value.sent


def test_what_the_account_says_is_searched_for_secrets() -> None:
    """A server may quote what it was sent; neither the key nor a secret comes out again."""
    server = Server([said(422, {"errors": [{"title": "bad url https://x/?key=hush by token-1234"}]})])

    async def run() -> None:
        async with Client(
            Endpoint("https://acme.example", "token-1234", None),
            mode=Mode.WRITE,
            writable=WRITABLE,
            transport=Transport(server),
            listeners=Listeners(show=Redactor(["hush", "token-1234"]).show),
        ) as client:
            await client.send(post("/webhooks", {}))

    with pytest.raises(Rejected) as error:
        asyncio.run(run())
    assert "bad url https://x/?key=*** by ***" in error.value.message


def test_every_request_can_be_followed_without_personal_data() -> None:
    """`-vv` prints method, path, paging and status; filters may hold e-mail addresses and are shown by name."""
    lines: list[str] = []
    server = Server([said(200, {"contacts": []}), said(404, {}), said(503), said(200, {"user": {}})])

    async def run() -> None:
        connection = Endpoint("https://acme.example", "token", None)
        async with Client(
            connection, transport=Transport(server), listeners=Listeners(on_answer=lines.append)
        ) as client:
            await client.send(get("/contacts", **{"filters[email]": "jane@acme.example", "limit": "1"}))
            await client.send(Request("GET", "/tags", expect=(404,)))
            await client.send(get("/users/email/jane@acme.example"))

    asyncio.run(run())
    assert [line.rpartition(" (")[0] for line in lines] == [
        "GET /contacts?filters[email]=...&limit=1 -> 200",
        "GET /tags -> 404",
        "GET /users/email/... -> 503",
        "GET /users/email/... -> 200",
    ]


def test_a_web_page_instead_of_the_api_is_named() -> None:
    """A wrong URL answers HTML; the message says what to check."""
    page: Answer = (200, {"content-type": "text/html"}, b"<!doctype html><title>Login</title>")
    with pytest.raises(RemoteError, match="web page") as error:
        sent(get("/tags"), script=[page] * 3)
    assert "Settings > Developer" in error.value.hint


PAGE = b"<!doctype html><title>Bad gateway</title>"
"""What a proxy in front of the account sends when the account does not answer."""


def page(status: int, **headers: str) -> Answer:
    """An answer with a web page."""
    return status, {"content-type": "text/html", **{name.replace("_", "-"): v for name, v in headers.items()}}, PAGE


@pytest.mark.parametrize("status", [500, 502, 504, 520, 524])
def test_a_gateway_that_reports_trouble_in_html_is_a_server_error(status: int) -> None:
    """A create behind it may have been executed, so it is never repeated; a read is."""
    with pytest.raises(Rejected) as error:
        sent(post("/tags", {}), script=[page(status)])
    assert error.value.status == status
    answers, _, _ = sent(get("/tags"), script=[page(status), said(200, {"tags": []})])
    assert answers[0].ok


def test_a_limit_that_a_gateway_reports_in_html_is_waited_out() -> None:
    """The status counts, and the header; the create was not executed."""
    answers, _, waits = sent(post("/tags", {}), script=[page(429, retry_after="7"), said(201, {})])
    assert answers[0].ok
    assert waits == [("rate limited by the account", 7.0)]


def test_html_with_a_status_of_refusal_means_what_the_status_says() -> None:
    """A router without the path answers a page: a flow that knows another spelling goes on; a redirect is named."""
    answers, _, _ = sent(Request("PUT", "/tags/1", expect=(404,)), script=[page(404)])
    assert answers[0].status == 404
    with pytest.raises(RemoteError, match=r"redirects GET /tags to https://other\.example"):
        sent(get("/tags"), script=[page(301, location="https://other.example/login")])
    with pytest.raises(AuthError):
        sent(get("/users/me"), script=[page(403)] * 3)


@pytest.mark.parametrize(
    ("place", "expected"), [("", None), ("me:p%40ss@", "Basic bWU6cEBzcw=="), ("me@", "Basic bWU6")]
)
def test_a_name_and_a_password_in_the_url_are_for_who_stands_before_the_account(place: str, expected: str) -> None:
    """They go into the header that servers in front of others ask for, and every request is on its own: no cookie of
    an answer is sent back, whoever set it.
    """
    server = Server([said(200, {}, set_cookie="session=1; Path=/"), said(200, {})])

    async def run() -> None:
        connection = Endpoint(f"https://{place}acme.example", "token", None)
        async with Client(connection, transport=Transport(server)) as client:
            await client.send(get("/tags"))
            await client.send(get("/tags", limit="1"))

    asyncio.run(run())
    assert [request.headers.get("authorization") for request in server.seen] == [expected, expected]
    assert [request.headers.get("cookie") for request in server.seen] == [None, None]
    assert {request.headers["host"] for request in server.seen} == {"acme.example"}


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


@given(lateness=st.lists(st.floats(0, 3), min_size=1, max_size=30))
def test_requests_keep_their_distance_however_late_the_program_wakes_up(lateness: list[float]) -> None:
    """The account counts when requests come: slots that are due at once are not sent at once."""
    now = [0.0]
    late = iter(lateness)
    passed: list[float] = []

    async def sleep(seconds: float) -> None:
        until = now[0] + seconds + next(late, 0.0)
        await asyncio.sleep(0)
        now[0] = max(now[0], until)

    async def run() -> None:
        pacer = Pacer(5.0, lambda: now[0], sleep)

        async def one() -> None:
            passed.append((await pacer.wait()).passed)

        await asyncio.gather(*(one() for _ in range(20)))

    asyncio.run(run())
    assert len(passed) == 20
    assert all(after - before >= 0.2 for before, after in itertools.pairwise(passed))


@pytest.mark.parametrize("make", [lambda: get("/tags"), lambda: put("/tags/1", {}), lambda: delete("/tags/1")])
def test_a_503_may_be_the_rate_limit(make: Callable[[], Request]) -> None:
    """Row 54 of section 7: everybody waits, as after a 429, and what can be repeated is, for a while."""
    answers, server, waits = sent(make(), script=[said(503)] * 3 + [said(200, {})])
    assert answers[0].ok
    assert len(server.seen) == 4
    assert {reason for reason, _ in waits} == {"rate limited by the account (503)"}


def test_a_create_that_was_answered_503_is_never_repeated() -> None:
    """It may have been done: whoever asked looks."""
    with pytest.raises(Rejected) as error:
        sent(post("/tags", {}), script=[said(503), said(201, {})])
    assert error.value.status == 503


@pytest.mark.parametrize(
    "content",
    [
        b'{"tags": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"tags": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'{"tags": [{"id": Infinity}]}',
        b'{"tags": [{"id": 1e999}]}',
        b'{"tags": [{"id": ' + b"9" * 5_000 + b"}]}",
        b'{"tags": [{"tag": "\\ud800"}]}',
        b'{"tags": [' + b"0," * 2_000_001 + b"0]}",
    ],
    ids=["endless", "deep", "infinity", "overflow", "digits", "half", "many"],
)
def test_an_answer_beyond_any_answer_is_refused_at_once(content: bytes) -> None:
    """Asked once, told with the request; the same for whatever asks."""
    with pytest.raises(Unexpected, match="GET /tags"):
        sent(get("/tags"), script=[(200, {}, content)])


def test_a_small_answer_that_unpacks_to_a_great_one_is_cut_off() -> None:
    """Decoded bytes are counted, not those that were sent."""
    packed = gzip.compress(b" " * (MOST_BYTES + 2), 1)
    with pytest.raises(Unexpected, match="bytes"):
        sent(get("/tags"), script=[(200, {"content-encoding": "gzip"}, packed)])


class Trickle(httpx.AsyncByteStream):
    """Answers without end: a byte every half second."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.5)
            yield b" "


class Slow(httpx.AsyncBaseTransport):
    """A server whose answers trickle; counts requests and the seconds that pass."""

    def __init__(self) -> None:
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(200, stream=Trickle(), request=request)


@pytest.mark.parametrize(("request_", "tries"), [(get("/tags"), 4), (post("/tags", {"tag": {"tag": "a"}}), 1)])
def test_an_answer_that_trickles_without_end_is_given_up(request_: Request, tries: int) -> None:
    """Each byte comes in time and the whole never does: the limit is one for all of it, and holds for each try."""
    server = Slow()

    async def run() -> float:
        began = asyncio.get_running_loop().time()
        connection = Endpoint("https://acme.api-us1.com", "token", None, timeout=30.0)
        async with Client(connection, mode=Mode.WRITE, transport=server, writable=WRITABLE) as client:
            with pytest.raises(Unreachable, match="no answer in time") as caught:
                await client.send(request_)
        assert caught.value.sent
        return asyncio.get_running_loop().time() - began

    assert 30.0 * tries < clock.run(run()) < 41.0 * tries
    assert server.asked == tries


class Forever(httpx.SyncByteStream):
    """Bytes without end."""

    def __init__(self, piece: bytes) -> None:
        self.piece, self.sent = piece, 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.sent += 1
            yield self.piece


@pytest.mark.parametrize(("piece", "most", "said"), [(b" ", 242, "seconds"), (b" " * 2**20, 32, "bytes")])
def test_a_code_host_whose_answer_does_not_end_is_given_up(piece: bytes, most: int, said: str) -> None:
    """Too long or too slow as a whole: told once, not asked again."""
    endless, ticks = Forever(piece), itertools.count(0.0, 0.5)
    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=endless))
    calls = Calls("https://code.example", {}, HttpWeb(lambda: next(ticks), transport), token_hint="")
    with pytest.raises(RemoteError, match=said):
        calls.get("/notes")
    assert endless.sent <= most


def test_pieces_of_an_answer_end_where_any_answer_does() -> None:
    """Bytes and seconds for all pieces together; what is within both is whole."""
    assert whole([b"a", b"b"], most=2, seconds=1.0, clock=lambda: 0.0) == b"ab"
    with pytest.raises(Endless, match="bytes"):
        whole(itertools.repeat(b"a"), most=9, seconds=1.0, clock=lambda: 0.0)
    ticks = itertools.count(0.0, 0.5)
    with pytest.raises(Endless, match="seconds"):
        whole(itertools.repeat(b""), most=9, seconds=3.0, clock=lambda: next(ticks))


def test_clients_of_a_process_share_what_they_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The authorities are read once, until the file is another one."""
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    file, again = tmp_path / "trusted.pem", tmp_path / "again.pem"
    for path in (file, again):
        path.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    def trusted() -> object:
        return Network.of("https://acme.api-us1.com", os.environ).verify

    first = trusted()
    assert trusted() is first
    again.replace(file)
    assert trusted() is not first


@pytest.mark.parametrize("way", ["send", "raw"])
@pytest.mark.parametrize(("answer", "told"), [(said(200, {"tags": []}), 200), ((200, {}, b"<html>"), None)])
def test_who_follows_a_request_is_told_its_answer(way: str, answer: Answer, told: int | None) -> None:
    """Whichever way it is sent; none where it failed."""
    heard: list[tuple[str, int | None]] = []

    def hear(moment: str, request: Request, reply: Response | None) -> None:
        heard.append((moment, reply.status if reply is not None else None))

    async def sleep(seconds: float) -> None:
        """Waiting is measured elsewhere."""

    async def run() -> None:
        connection, listeners = Endpoint("https://acme.api-us1.com", "token", None), Listeners(on_request=hear)
        transport = Transport(Server([answer] * 9))
        async with Client(connection, transport=transport, listeners=listeners, sleep=sleep) as client:
            with contextlib.suppress(ReconcilerError):
                await getattr(client, way)(get("/tags"))

    asyncio.run(run())
    assert (heard[0], heard[1], heard[-1]) == (("asked", None), ("sent", None), ("answered", told))
