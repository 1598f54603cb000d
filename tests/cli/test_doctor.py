"""`doctor` names what is wrong, from project file to account, writes nothing, and ends with the contract's code."""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.workflow.doctor.account import Check
from reconciler.workflow.doctor.environment import LINES, _surroundings, examine, exit_code
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.opening.runtime import Runtime
from tests.required import absent
from tests.world import World
from tests.world.clock import run
from tests.world.project import ACCOUNT

TAGS = "tags: {vip: {}}"
KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SEALED = f"""\
version: 1
encryption: {{recipients: [{KEY}]}}
environments: {{demo: {{url: "emulator:{ACCOUNT}"}}}}
"""
SERVED = "version: 1\nenvironments: {demo: {url: 'http://nowhere.invalid', token: abc}}\n"


def _doctor(world: World) -> tuple[int, dict[str, dict[str, Any]]]:
    ran = world.cli("doctor", "--format", "json")
    return ran.code, {row["check"]: row for row in json.loads(ran.out)}


def test_an_account_that_answers_slowly_is_asked_for_its_kinds_at_the_same_time(world: World) -> None:
    """The checks are the same, whichever answers first."""
    asked = world.requests
    expected = run(examine(world.session()))
    requests = len(asked())

    async def seconds() -> tuple[float, list[Check]]:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        checks = await examine(world.session())
        return loop.time() - begin, checks

    world.held.delay = iter([(number * 7 % 5) / 5 + 0.5 for number in range(4 * requests)]).__next__
    took, checks = run(seconds())
    world.held.delay = None
    assert checks == expected
    assert requests > 20
    assert took < 12, "one after the other, each of them takes a second at least"


def test_a_healthy_environment_is_one_page_without_writes(world: World) -> None:
    """Every line is fine or says why it does not apply; nothing is written, to the account or to disk."""
    world.write(TAGS)
    world.apply()
    world.forget()
    files = {path: path.stat().st_mtime_ns for path in world.folder.rglob("*") if path.is_file()}
    code, checks = _doctor(world)
    assert code == 0
    assert {row["verdict"] for row in checks.values()} == {"ok", "skipped"}
    assert list(checks) == [
        "versions", "configuration", "address", "TLS", "encryption", "state", "lock", "connection", "clock", "token",
        "account", "eyes", "permissions", "features", "facts",
    ]  # fmt: skip
    assert not world.writes()
    assert {path: path.stat().st_mtime_ns for path in world.folder.rglob("*") if path.is_file()} == files
    text = world.cli("doctor").out
    assert "1 resource declared for `demo`" in text
    assert len(text.splitlines()) < 25


@pytest.mark.parametrize(
    ("settings", "line", "verdict", "code"),
    [
        ({"forbidden": ("users",)}, "token", "failed", 4),
        ({"forbidden": ("tags",)}, "permissions", "failed", 4),
        ({"missing": ("tags",)}, "permissions", "failed", 4),
        ({"forbidden": ("webhooks",)}, "permissions", "warning", 0),
        ({"missing": ("webhooks", "scores")}, "features", "ok", 0),
        ({"field_groups": "members", "site_domains": "old"}, "features", "ok", 0),
    ],
)
def test_what_the_key_may_not(world: World, settings: dict[str, Any], line: str, verdict: str, code: int) -> None:
    """What is declared and not readable fails; what nobody declared is told only."""
    world.write(TAGS)
    world.behave(**settings)
    got, checks = _doctor(world)
    assert (got, checks[line]["verdict"]) == (code, verdict), checks
    assert not world.writes()
    if "missing" in settings and line == "features":
        assert "webhook" in checks["features"]["found"]


def test_wrong_files_end_as_wrong_configuration(world: World) -> None:
    """Exit code 3, with the first problem; the rest is checked all the same."""
    world.write("tags: {vip: {nam: VIP}}")
    code, checks = _doctor(world)
    assert (code, checks["configuration"]["verdict"]) == (3, "failed")
    assert "validate" in checks["configuration"]["advice"]
    assert checks["token"]["verdict"] == "ok"


def test_a_partial_key_and_a_held_lock_are_warnings(world: World) -> None:
    """Both can be gone on with, and are worth knowing."""
    for row in list(world.account.rows.all("userGroups")):
        world.account.rows.put("userGroups", row["id"], {**row, "groupid": "7", "group": "7"})
    world.write(TAGS)
    with locked(world.session(), "apply"):
        code, checks = _doctor(world)
    assert code == 0
    assert checks["eyes"]["verdict"] == checks["lock"]["verdict"] == "warning"
    assert "apply" in checks["lock"]["found"]


def test_a_state_that_cannot_be_read_is_told(world: World) -> None:
    """Damage, and no key for what would be written; the account is still asked."""
    world.write(TAGS)
    (world.folder / "state").mkdir(exist_ok=True)
    (world.folder / "state" / "demo.json").write_text("{")
    code, checks = _doctor(world)
    assert (code, checks["state"]["verdict"], checks["lock"]["verdict"]) == (1, "failed", "skipped")
    assert checks["token"]["verdict"] == "ok"
    (world.folder / "state" / "demo.json").unlink()
    world.write(SEALED, "reconciler.yaml")
    code, checks = _doctor(world)
    assert (code, checks["encryption"]["verdict"]) == (1, "failed")


def test_an_account_that_does_not_answer(world: World) -> None:
    """The page ends with what could not be asked, and hints from address to proxy; nothing else is claimed."""
    world.write(TAGS)
    world.fault("drop_before", times=99)
    code, checks = _doctor(world)
    assert (code, checks["connection"]["verdict"], checks["permissions"]["verdict"]) == (1, "failed", "skipped")
    assert checks["token"]["found"] == checks["eyes"]["found"] == "not checked"


def test_the_page_is_printed_whatever_is_wrong(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set, a wrong project file, an environment that is not there, no project: the page has
    every line, the failed one says what and where, and nothing else is claimed.
    """
    monkeypatch.delenv("AC_NOWHERE_TOKEN", raising=False)
    unset = "version: 1\nenvironments: {demo: {url: 'https://acme.api-us1.com', token: '${env.AC_NOWHERE_TOKEN}'}}\n"
    for project, said in (
        (unset, "AC_NOWHERE_TOKEN"),
        ("version: 1\nenvironments: {demo: {url: 7}}\n", "reconciler.yaml:2"),
        ("version: 1\nenvironments: {other: {url: 'emulator:a.db'}}\ndefault_environment: demo\n", "`demo`"),
        ("a: [", "reconciler.yaml:"),
    ):
        world.write(project, "reconciler.yaml")
        code, checks = _doctor(world)
        assert list(checks) == list(LINES)
        assert (code, checks["configuration"]["verdict"]) == (3, "failed"), checks
        assert said in checks["configuration"]["found"]
        assert {row["found"] for name, row in checks.items() if row["verdict"] == "skipped"} == {"not checked"}
        assert "FAILED" in world.cli("doctor").out
    (world.folder / "reconciler.yaml").unlink()
    assert _doctor(world)[0] == 3


def test_an_error_is_quoted_and_no_warning_is_counted(world: World) -> None:
    """Files with both: the first error is what failed, however early a warning stands; one warning is one."""
    world.write("variables: {unused: {default: x}}\ntags: {vip: {}}")
    code, checks = _doctor(world)
    assert (code, checks["configuration"]["verdict"]) == (0, "warning"), checks
    assert checks["configuration"]["found"].endswith("1 warning")
    world.write("variables: {unused: {default: x}}\ntags: {vip: {nam: VIP}}")
    code, checks = _doctor(world)
    assert code == 3
    assert checks["configuration"]["found"].startswith("1 problem in the configuration: config/")
    assert "`nam`" in checks["configuration"]["found"]


@pytest.mark.parametrize("status", [404, 405])
def test_an_address_without_the_api_says_what_the_url_is(world: World, status: int) -> None:
    """A wrong host, or a path in the URL."""
    world.fault("fail_before", status=status, times=99)
    code, checks = _doctor(world)
    assert (code, checks["connection"]["verdict"]) == (1, "failed")
    assert "nothing behind the host" in checks["connection"]["advice"]


def test_facts_that_are_not_lent_are_a_warning(world: World) -> None:
    """What an environment borrows and nobody has, also where nothing was ever probed."""
    both = f"demo: {{url: 'emulator:{ACCOUNT}', facts: sandbox}}, sandbox: {{url: 'emulator:b.db'}}"
    world.write(f"version: 1\nenvironments: {{{both}}}\ndefault_environment: demo\n", "reconciler.yaml")
    code, checks = _doctor(world)
    assert (code, checks["facts"]["verdict"]) == (0, "warning")
    assert "no facts of `sandbox` are there" in checks["facts"]["found"]


def test_facts_of_a_day_to_come_are_a_warning(world: World) -> None:
    """They would never grow old."""
    assert world.cli("probe", "--read-only", "--row", "31", "--quiet").code == 0
    (path,) = (world.folder / ".reconciler/facts").glob("*.json")
    path.write_text(re.sub(r'"probed": "\d{4}', '"probed": "2999', path.read_text("utf-8")), "utf-8")
    code, checks = _doctor(world)
    assert (code, checks["facts"]["verdict"]) == (0, "warning")
    assert "dated after now: 2999-" in checks["facts"]["found"]


@pytest.mark.parametrize(("hours", "verdict"), [(0, "ok"), (3, "warning")])
def test_the_clock_is_held_against_the_account(world: World, hours: int, verdict: str) -> None:
    """By the date of an answer, where it has one."""
    from reconciler.workflow.doctor.account import _clock

    session = world.session()
    now = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
    session = replace(session, runtime=replace(session.runtime, now=lambda: now + datetime.timedelta(hours=hours)))
    assert _clock(session, "Thu, 01 Jan 2026 12:00:00 GMT").verdict == verdict
    assert _clock(session, "").verdict == "skipped"


def test_the_way_to_a_served_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without https, a proxy, and certificates that cannot be read are lines of their own."""
    world.write(SERVED, "reconciler.yaml")
    world.environ |= {"HTTP_PROXY": "nonsense://x"}
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    checks = {one.check: one for one in run(examine(world.session()))}
    assert checks["TLS"].verdict == "skipped"  # one cause is one failure
    assert checks["proxy"].verdict == "failed"
    assert checks["connection"].verdict == "failed"
    assert "HTTP_PROXY" in checks["proxy"].found
    world.environ.pop("HTTP_PROXY")
    monkeypatch.delenv("HTTP_PROXY")
    assert {one.check: one for one in _surroundings(world.session())}["TLS"].verdict == "warning"


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server that speaks TLS as `localhost`, and the only authority that knows its certificate."""
    if shutil.which("openssl") is None:
        absent("there is no openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}", certificate
        server.shutdown()


def _page(world: World, url: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run `doctor` on an account over real connections, in a loop that waits for them."""
    world.write(f"version: 1\nenvironments: {{demo: {{url: '{url}', token: abc}}}}\n", "reconciler.yaml")
    session = world.session()
    checks = asyncio.run(examine(replace(session, runtime=Runtime(dict(os.environ)))))
    return int(exit_code(checks)), {check.check: check.row() for check in checks}


@pytest.mark.socket
def test_a_certificate_of_nobody_that_is_known(
    world: World, authority: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of the connection says so and names SSL_CERT_FILE; with that authority the server is asked, and with it
    and another name in the address it is refused again.
    """
    url, certificate = authority
    code, checks = _page(world, url)
    assert (code, checks["connection"]["verdict"]) == (1, "failed")
    assert "certificate is not trusted" in checks["connection"]["found"]
    assert "SSL_CERT_FILE" in checks["connection"]["advice"]
    assert checks["token"]["found"] == "not checked"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _, checks = _page(world, url)
    assert checks["TLS"]["found"] == "certificates of SSL_CERT_FILE"
    assert "501" in checks["connection"]["found"], "it was reached, and answers as no API does"
    _, checks = _page(world, url.replace("localhost", "127.0.0.1"))
    assert "certificate is not trusted" in checks["connection"]["found"]


def test_a_host_that_no_name_server_knows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason is that a name has no address: the line of the connection says to look at the host."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    code, checks = _page(world, "https://acmee.api-us1.com")
    assert (code, checks["connection"]["verdict"]) == (1, "failed")
    assert "there is no host of that name" in checks["connection"]["found"]
    assert "typing error" in checks["connection"]["advice"]
    assert {checks[name]["verdict"] for name in ("token", "eyes", "permissions", "clock")} == {"skipped"}
