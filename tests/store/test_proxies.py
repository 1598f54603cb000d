"""States in object stores and databases go the way that the environment names, as every other request does."""

from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.model.errors import StateError, SurroundingsError
from reconciler.store import objects
from reconciler.store.blobs import STATE
from reconciler.store.objects import ObjectBlobStore
from tests.store.conftest import place_of

DEAD = "http://user:hidden@127.0.0.1:9"
STORES: dict[str, Callable[[str], str]] = {
    "s3": lambda place: f"s3://bucket/prod.json?region=us-east-1&endpoint={place}",
    "gs": lambda place: f"gs://bucket/prod.json?endpoint={place}",
    "az": lambda place: f"az://bucket/prod.json?account_name=me&endpoint={place}",
}
"""The URL of a state in each store, on a server of one's own."""


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Credentials that nobody checks, no proxies, and no second tries."""
    for name in ("http", "https", "all", "no"):
        for written in (f"{name}_proxy", f"{name.upper()}_PROXY"):
            monkeypatch.delenv(written, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SK")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", base64.b64encode(b"key").decode())
    monkeypatch.setenv(
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        '{"disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}',
    )
    monkeypatch.setattr(objects, "RETRIES", {"max_retries": 0})
    return monkeypatch


@contextmanager
def server() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server of which every object is missing; what it is asked, with who asks a proxy."""
    asked: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{httpd.server_address[1]}", asked
        httpd.shutdown()


every_store = pytest.mark.parametrize("store", STORES)


@every_store
@pytest.mark.parametrize("exempt", ["{place}", "127.0.0.0/8", "far.test,[::1] 127.0.0.1", "*", "http://127.0.0.1"])
def test_an_exempt_store_is_asked_directly(store: str, exempt: str, environ: pytest.MonkeyPatch) -> None:
    """By every way to write it, those that the library does not know included."""
    with server() as (place, asked):
        environ.setenv("ALL_PROXY", DEAD)
        environ.setenv("NO_PROXY", exempt.format(place=place))
        assert ObjectBlobStore(STORES[store](f"http://{place}")).get(STATE) is None
        assert [path.startswith("/") for path, _ in asked] == [True]


@every_store
def test_a_store_is_asked_by_the_proxy(store: str, environ: pytest.MonkeyPatch) -> None:
    """With its user and password, wherever the store is."""
    with server() as (place, asked):
        environ.setenv("http_proxy", f"user:p%40ss@{place}")
        environ.setenv("NO_PROXY", "elsewhere.test")
        assert ObjectBlobStore(STORES[store]("http://far.test")).get(STATE) is None
        ((path, user),) = asked
        assert path.startswith("http://far.test/")
        assert base64.b64decode(user.removeprefix("Basic ")) == b"user:p@ss"


@every_store
def test_a_dead_proxy_is_named(store: str, environ: pytest.MonkeyPatch) -> None:
    """With its variable and without its password."""
    environ.setenv("ALL_PROXY", DEAD)
    with pytest.raises(StateError, match=r"by the proxy 127\.0\.0\.1:9 of ALL_PROXY") as told:
        ObjectBlobStore(STORES[store]("http://far.test")).get(STATE)
    assert "ALL_PROXY" in told.value.hint
    assert "hidden" not in f"{told.value} {told.value.hint}"


@every_store
@pytest.mark.parametrize("value", ["socks5://user:hidden@127.0.0.1:9", "http://hid den:1", "ftp://hidden:1"])
def test_what_is_no_proxy_is_refused_and_not_passed_by(store: str, value: str, environ: pytest.MonkeyPatch) -> None:
    """Nothing goes directly because a proxy is written wrongly; an exempt store does not need it."""
    with server() as (place, asked):
        environ.setenv("ALL_PROXY", value)
        with pytest.raises(SurroundingsError, match="ALL_PROXY") as told:
            ObjectBlobStore(STORES[store](f"http://{place}")).get(STATE)
        assert "hidden" not in f"{told.value} {told.value.hint}"
        assert asked == []
        environ.setenv("NO_PROXY", place)
        assert ObjectBlobStore(STORES[store](f"http://{place}")).get(STATE) is None


@every_store
def test_the_vendors_own_address_is_what_is_exempt(store: str, environ: pytest.MonkeyPatch) -> None:
    """A URL without `endpoint` goes to the vendor, by the proxy for https."""
    host = {"s3": "amazonaws.com", "gs": "googleapis.com", "az": "blob.core.windows.net"}[store]
    url = STORES[store]("").replace("&endpoint=", "").replace("?endpoint=", "")
    environ.setenv("HTTPS_PROXY", "socks5://x:1")
    with pytest.raises(SurroundingsError):
        ObjectBlobStore(url)
    environ.setenv("NO_PROXY", host)
    assert ObjectBlobStore(url).where.endswith("prod.json")


def test_a_database_needs_no_proxy(environ: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """PostgreSQL speaks a protocol of its own: what the variables hold is for others."""
    environ.setenv("ALL_PROXY", "socks5://hidden:9")
    place = place_of("postgresql", request, tmp_path, environ)
    store = place.open()
    assert store.read() is None
    store.close()
