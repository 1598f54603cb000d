"""Plain HTTP for code hosts: one request, one whole answer; implements `Web` of the model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Thread
from urllib.parse import urlsplit

import httpx

from reconciler.model.codehost import HostAnswer
from reconciler.model.errors import RemoteError, Unreachable
from reconciler.model.proxies import Proxy
from reconciler.model.waits import Endless, whole
from reconciler.remote.answers import retry_after
from reconciler.remote.network import Network
from reconciler.remote.trouble import no_connection

WIRE = ("content-encoding", "transfer-encoding", "content-length")
"""Headers of how an answer travelled."""


class HttpWeb:
    """Sends requests by httpx, through the proxy and with the certificates that the environment names. Redirects are
    not followed.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._clock, self._transport = clock, transport
        self._clients: dict[str, tuple[httpx.Client, Proxy | None]] = {}

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        most: int,
        seconds: float,
    ) -> HostAnswer:
        """Send a request; see `Web.exchange`. The client bounds no whole exchange: a host that sends a byte of its
        headers now and then would keep it for as long as it likes.
        """
        host = urlsplit(url).netloc.rpartition("@")[2]
        client, proxy = self._client(url)

        def send() -> HostAnswer:
            with client.stream(method, url, headers=dict(headers or {}), json=body, params=query) as begun:
                return self._read(begun, host, most, seconds)

        try:
            return _within(seconds, send)
        except Endless as error:
            raise Unreachable(f"{host} cannot be reached: {error}", hint="try again later", sent=True) from error
        except httpx.HTTPError as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
            what, hint = no_connection(error, timed_out=isinstance(error, httpx.TimeoutException), proxy=proxy)
            raise Unreachable(
                f"{host} cannot be reached: {what}", hint=hint if proxy else "try again later", sent=not unsent
            ) from error

    def _client(self, url: str) -> tuple[httpx.Client, Proxy | None]:
        """Return the client of a host, one for all requests there."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._clients:
            network = Network.of(url, os.environ)
            client = httpx.Client(
                headers={"User-Agent": "activecampaign-reconciler"},
                timeout=httpx.Timeout(30.0, connect=10.0),
                proxy=network.proxy,
                verify=network.verify,
                trust_env=False,
                transport=self._transport,
            )
            self._clients[origin] = (client, network.asked)
        return self._clients[origin]

    def _read(self, begun: httpx.Response, host: str, most: int, seconds: float) -> HostAnswer:
        """Return the whole answer, unpacked, as far as an answer may go."""
        if "," in begun.headers.get("content-encoding", ""):
            raise httpx.DecodingError("packed more than once")
        try:
            content = whole(begun.iter_bytes(), most=most, seconds=seconds, clock=self._clock)
        except Endless as error:
            raise RemoteError(f"{host}: {error}", hint="nothing is concluded from it; try again later") from error
        headers = {name.lower(): value for name, value in begun.headers.items() if name.lower() not in WIRE}
        return HostAnswer(begun.status_code, headers, content, retry_after(headers))


def _within(seconds: float, send: Callable[[], HostAnswer]) -> HostAnswer:
    """Return the answer of a whole exchange. Raises Endless where it takes longer: then nothing waits for it."""
    future: Future[HostAnswer] = Future()

    def run() -> None:
        try:
            future.set_result(send())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        if future.done():
            raise
        raise Endless(f"no whole answer in {seconds:g} seconds") from error
