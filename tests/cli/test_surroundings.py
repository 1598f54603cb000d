"""What the environment of a process holds: each value gives a right behaviour, or an error that names the variable."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.errors import ReconcilerError, SurroundingsError, Unreachable
from reconciler.model.http import get
from reconciler.model.proxies import proxy_for
from reconciler.remote.client import Client, Endpoint
from reconciler.remote.network import Network
from reconciler.store.wire import Wire
from tests.cli.test_streams import COMMANDS, FORKED, project

__all__ = ["project"]
URL = "https://me.example.com/api/3"
PROXY = "http://proxy.test:3128"
EXEMPT = [
    ("*", URL, True),
    ("localhost,[::1]", URL, False),
    ("localhost,[::1]", "http://[::1]:8080/x", True),
    ("[::1]:8080", "http://[::1]:8080/x", True),
    ("[::1]:8081", "http://[::1]:8080/x", False),
    ("::1", "http://[0:0:0:0:0:0:0:1]/x", True),
    ("fd00::/8", "http://[fd12::5]/x", True),
    ("[fd00::]/8", "http://[fd12::5]/x", True),
    ("fd00::/8", "http://10.1.2.3/x", False),
    ("10.0.0.0/8", "http://10.1.2.3/x", True),
    ("10.0.0.0/8", "http://11.1.2.3/x", False),
    ("10.1.2.3/8", "http://10.9.9.9/x", True),
    ("10.0.0.0/99", "http://10.1.2.3/x", False),
    ("10.0.0.0/8", "http://10.example.com/x", False),
    ("127.0.0.1", "http://127.0.0.1:9/x", True),
    ("127.0.0.1:9", "http://127.0.0.1:9/x", True),
    ("127.0.0.1:8", "http://127.0.0.1:9/x", False),
    ("example.com", URL, True),
    (".example.com", URL, True),
    ("*.example.com", URL, True),
    ("*.example.com", "https://example.com/x", False),
    ("other.org EXAMPLE.com.", URL, True),
    ("ample.com", URL, False),
    ("example.com:443", URL, True),
    ("https://example.com", URL, True),
    ("http://example.com", URL, False),
    (",,[,://,*.,.,/8,%", URL, False),
]
NO_PROXIES = [
    "socks5://user:hidden@127.0.0.1:9", "socks4://hidden:9", "http://", "http://user:hidden@:80", "ftp://hidden:1",
    "http://hidden:port", "http://hidden:99999", "http://hidden:0", "http://[hidden", "http://hid den:1", "http://hïdden",
    "//hidden", "http://hidden\x01:1", "\udce9hidden",
]  # fmt: skip


@pytest.mark.parametrize(("exemptions", "url", "exempt"), EXEMPT)
def test_hosts_that_are_exempt(exemptions: str, url: str, exempt: bool) -> None:
    """Names, subdomains, addresses of both kinds, blocks, ports, and what is none of them."""
    found = proxy_for(url, {"ALL_PROXY": PROXY, "NO_PROXY": exemptions})
    assert (found is None) is exempt


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ({"ALL_PROXY": "other:1", "HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "other:1"}, "https_proxy"),
        ({"https_proxy": " ", "all_proxy": "proxy.test:3128"}, "all_proxy"),
    ],
)
def test_which_variable_names_the_proxy(environ: dict[str, str], variable: str) -> None:
    """The one of the scheme before the one for all."""
    found = proxy_for(URL, environ)
    assert found is not None
    assert (found.variable, found.url) == (variable, PROXY)


def test_a_header_of_a_request_is_no_proxy() -> None:
    """`Proxy: ...` arrives in CGI programs as HTTP_PROXY."""
    assert proxy_for("http://a.test", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}) is None
    assert proxy_for("http://a.test", {"HTTP_PROXY": PROXY}) is not None


@pytest.mark.parametrize("value", NO_PROXIES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_no_proxy_is_named_without_its_value(value: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one place for accounts, code hosts and states."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SurroundingsError) as told:
        Network.of(f"{scheme}://me.example.com", {"ALL_PROXY": value})
    assert "ALL_PROXY" in told.value.message
    assert "hidden" not in f"{told.value} {told.value.hint}"
    assert told.value.hint
    assert told.value.exit_code == 3


WEIRD = st.text(st.sampled_from("ah1.:/@[]%*,-_é \t\x7f") | st.characters(codec="utf-8"), max_size=30)
TEXTS = st.one_of(
    WEIRD,
    st.builds("{}://{}:{}".format, st.sampled_from(["http", "https", "socks5", "socks5h", "x"]), WEIRD, WEIRD),
)


@given(proxy=TEXTS, exemptions=TEXTS, url=st.sampled_from([URL, "http://[::1]:8080/api/3", "http://10.0.0.1/api/3"]))
def test_any_value_is_a_proxy_or_a_clear_error(proxy: str, exemptions: str, url: str) -> None:
    """Nothing else comes out of the variables, and a client can be made with what does."""
    told = ""
    try:
        Network.of(url.replace("https", "http"), {"ALL_PROXY": proxy, "NO_PROXY": exemptions})
    except SurroundingsError as error:
        told = error.message
    assert not told or "ALL_PROXY" in told


def test_a_dead_proxy_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the account's address, and without the proxy's password."""
    monkeypatch.setenv("ALL_PROXY", "http://user:hidden@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def nothing(seconds: float) -> None: ...

    async def asked() -> None:
        client = Client(Endpoint("http://me.example.com", "t" * 40), sleep=nothing)
        await client.send(get("/tags"))

    with pytest.raises(Unreachable) as told:
        asyncio.run(asked())
    assert "the proxy 127.0.0.1:9 of ALL_PROXY accepts no connections" in told.value.message
    assert "NO_PROXY" in told.value.hint
    monkeypatch.setattr("reconciler.store.wire.time.sleep", lambda seconds: None)
    with pytest.raises(ReconcilerError, match=r"by the proxy 127\.0\.0\.1:9 of ALL_PROXY") as state:
        Wire("http://me.example.com/state", {}).send("GET")
    assert "hidden" not in f"{told.value} {told.value.hint} {state.value} {state.value.hint}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere/hidden.pem"),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nowhere/hidden"),
        ("SSLKEYLOGFILE", "/nowhere/hidden"),
    ],
)
def test_certificates_that_cannot_be_read_are_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent, and only where TLS is spoken."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SurroundingsError, match=variable):
        Network.of(URL, os.environ)
    assert isinstance(Network.of("http://127.0.0.1/api/3", os.environ).verify, ssl.SSLContext)


def test_commands_under_a_strange_environment(project: Path) -> None:
    """No home, no folder for temporary files, a terminal of garbage, and a locale that cannot print what is there."""
    strange = {
        "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "LC_ALL": "C", "LANG": "xx", "PYTHONIOENCODING": "ascii",
        "COLUMNS": "many", "LINES": "-1", "TERM": "?", "TZ": "No/Where", "TMPDIR": "/nowhere", "ALL_PROXY": "socks5://x",
        "NO_PROXY": "[::1]", "SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere", "SSLKEYLOGFILE": "/nowhere/x",
    }  # fmt: skip
    (project / "config/more.yaml").write_text(
        "tags:\n  umlaut:\n    name: 'Gr\u00fc\u00dfe \u2192 \U0001f600'\n", "utf-8"
    )
    environ = {name: value for name, value in os.environ.items() if name != "HOME"} | strange
    todo = json.dumps([[words.split(), []] for _, words in COMMANDS])
    ran = subprocess.run(
        [sys.executable, "-c", FORKED, todo], capture_output=True, env=environ, timeout=100, check=True, text=True
    )
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(results) == len(COMMANDS)
    for (code, words), (_, _, ended, _, err) in zip(COMMANDS, results, strict=True):
        assert "mistake in the program" not in err, (words, err)
        assert ended == code, (words, err)
