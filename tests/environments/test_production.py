"""An environment marked `production: true`: nothing is taken from it before somebody names the account."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.config import disagreeing, parse_project, production_by
from reconciler.model.http import Request, Response
from reconciler.workflow.observation.observing import account_requests, check_account
from tests.world import World
from tests.world.clock import run

PROJECT = """
version: 1
environments:
  prod: {url: "emulator:state/account.db", account: demo, production: true}
  other: {url: "emulator:state/other.db"}
default_environment: prod
"""


@pytest.fixture(name="prod")
def a_production_account(world: World) -> World:
    """Two tags in a production account, one of them no longer declared."""
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}, b: {}}")
    ran = world.cli("apply", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    world.write("tags: {a: {}}")
    return world


@dataclass
class Canned:
    """An account that says this of itself."""

    about: dict[str, Any]
    asked: list[str] = field(default_factory=list)
    requests: int = 0

    async def send(self, request: Request) -> Response:
        """Answer."""
        self.asked.append(request.path)
        return Response(200, self.about)


def typed(world: World, monkeypatch: pytest.MonkeyPatch, line: str, *argv: str) -> tuple[int, str]:
    """Run a command, type a line, and return its exit code and output."""
    monkeypatch.setenv("RECONCILER_PROMPT", "1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{line}\n"))
    ran = world.cli(*argv)
    return ran.code, ran.text


@pytest.mark.parametrize(
    ("line", "code", "left"), [("demo", 0, ["a"]), ("yes", 130, ["a", "b"]), ("", 130, ["a", "b"])]
)
def test_only_the_name_of_the_account_is_a_yes(
    prod: World, monkeypatch: pytest.MonkeyPatch, line: str, code: int, left: list[str]
) -> None:
    """On a terminal the name is asked for, and `yes` is not it."""
    got, text = typed(prod, monkeypatch, line, "apply", "--quiet")
    assert got == code, text
    assert "'demo', will be accepted" in text
    assert [row["tag"] for row in prod.rows("tags")] == left


def test_what_takes_nothing_away_asks_as_everywhere(prod: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A create or an update needs a yes; with --auto-approve not even that."""
    prod.write("tags: {a: {description: x}, b: {}, c: {}}")
    assert typed(prod, monkeypatch, "yes", "apply", "--quiet")[0] == 0
    prod.write("tags: {a: {description: x}, b: {}, c: {}, d: {}}")
    assert prod.cli("apply", "--auto-approve", "--quiet").code == 0


@pytest.mark.parametrize("argv", [("apply", "--auto-approve"), ("apply",), ("destroy", "--auto-approve")])
def test_where_nobody_can_be_asked_the_name_is_an_option(prod: World, argv: tuple[str, ...]) -> None:
    """Without it, or with another name, exit code 7 and nothing is written."""
    prod.forget()
    ran = prod.cli(*argv, "--quiet")
    assert ran.code == 7, ran.text
    assert "--confirm-account demo" in ran.err
    assert prod.cli(*argv, "--quiet", "--confirm-account", "acme").code == 7
    assert prod.writes() == []
    ran = prod.cli(
        argv[0], "--auto-approve", "--quiet", "--confirm-account", "demo", "--allow", "max_delete_percent=tag"
    )
    assert ran.code in (0, 7), ran.text
    assert "production account" not in ran.err


def test_a_saved_plan_was_reviewed(prod: World) -> None:
    """It is applied without a question; a wrong name is refused all the same."""
    assert prod.cli("plan", "--out", str(prod.folder / "p.json")).code == 0
    assert prod.cli("apply", str(prod.folder / "p.json"), "--quiet", "--confirm-account", "acme").code == 7
    ran = prod.cli("apply", str(prod.folder / "p.json"), "--quiet")
    assert ran.code == 0, ran.text
    assert [row["tag"] for row in prod.rows("tags")] == ["a"]


def test_a_clone_into_production_that_prunes_wants_the_name(prod: World) -> None:
    """Without --prune it takes nothing away and needs none."""
    assert prod.cli("-e", "other", "apply", "--auto-approve", "--quiet").code == 0
    argv = ("clone", "--from", "other", "--to", "prod", "--auto-approve", "--quiet")
    assert prod.cli(*argv).code == 0
    ran = prod.cli(*argv, "--prune")
    assert (ran.code, "production account" in ran.err) == (7, True), ran.text
    ran = prod.cli(*argv, "--prune", "--confirm-account", "demo")
    assert "production account" not in ran.err


def test_the_budget_of_a_production_account_leaves_room(world: World) -> None:
    """Three requests a second unless the environment says otherwise; five elsewhere."""
    world.write(
        "version: 1\nenvironments: {p: {url: 'https://x.api-us1.com', token: t, production: true}, "
        "s: {url: 'https://y.api-us1.com', token: t}}\n",
        "reconciler.yaml",
    )
    assert [world.session(environment=name).rate for name in ("p", "s")] == [3.0, 5.0]


SAME = """
version: 1
environments:
  prod: {url: "emulator:state/account.db", account: demo, production: true}
  sandbox: {url: "emulator:./state//account.db", state: "file:state/prod.json"}
  other: {url: "emulator:state/other.db"}
default_environment: sandbox
"""


@pytest.fixture(name="same")
def the_same_account_twice(prod: World) -> World:
    """The production account, which another environment names too, without saying what it is."""
    prod.write(SAME, "reconciler.yaml")
    return prod


@pytest.mark.parametrize(
    "argv",
    [
        ("apply",),
        ("destroy",),
        ("undo", "latest"),
        ("clone", "--from", "other", "--to", "sandbox", "--prune"),
        ("probe", "--yes-this-is-a-sandbox"),
        ("probe", "--clean"),
    ],
    ids=" ".join,
)
def test_every_command_that_asks_knows_it_by_its_other_name(same: World, argv: tuple[str, ...]) -> None:
    """What takes something away, or is for sandboxes, is refused by the environment that does not say production, too;
    which one does is told. What only reads is not.
    """
    same.forget()
    ran = same.cli(*argv, *(() if argv[0] == "probe" else ("--auto-approve", "--quiet")))
    assert ran.code == 7, ran.text
    assert "`sandbox` is the account of `prod`, a production account" in " ".join(ran.err.split())
    assert same.writes() == []
    assert same.cli("probe", "--read-only", "--row", "31").code == 0


def test_an_interrupted_run_is_resumed_by_name_as_well(same: World) -> None:
    """What is left of a run is asked for as the run was."""
    same.dies(1, after=True)
    ran = same.cli("runs", "resume", "--auto-approve")
    assert (ran.code, "a production account" in ran.err) == (7, True), ran.text


def test_validate_doctor_and_a_copy_say_so(same: World) -> None:
    """The project file is not wrong, but two of its lines disagree; a project made from it does not forget."""
    ran = same.cli("-e", "other", "validate")
    assert (ran.code, "`sandbox` has the account of `prod`" in ran.err) == (0, True), ran.text
    page = same.cli("doctor")
    assert "`sandbox` is the account of `prod`" in " ".join(page.out.split()), page.text
    assert same.cli("-e", "sandbox", "export", "--out", str(same.folder / "copy")).code == 0
    assert "production: true" in (same.folder / "copy/reconciler.yaml").read_text("utf-8")
    same.write(PROJECT, "reconciler.yaml")
    assert "has the account" not in same.cli("validate").err
    assert "is the account of" not in same.cli("doctor").out


ADDRESSES = [
    ("{url: 'https://acme.api-us1.com'}", "{url: 'HTTPS://ACME.api-us1.com:443/api/3/'}", True),
    ("{url: 'https://acme.api-us1.com'}", "{url: 'https://acme.activehosted.com'}", True),
    ("{url: 'https://acme.api-us1.com'}", "{url: 'http://acme.activehosted.com:8443/admin'}", True),
    ("{url: 'http://proxy.example/a/b'}", "{url: 'http://proxy.example/x/../a/%62//api/3'}", True),
    ("{url: 'https://acme.api-us1.com'}", "{url: 'https://acme.api-us1.com/@other.example/api/3'}", True),
    ("{url: 'https://acme.api-us1.com.'}", "{url: 'https://acme.api-us1.com'}", True),
    ("{url: 'https://acme.api-us1.com'}", "{url: 'https://mail.acme.example', account: acme}", True),
    ("{url: 'https://mail.acme.example'}", "{url: 'https://acme.api-us1.com', account: mail.acme.example}", True),
    ("{url: 'https://a.example', account: acme}", "{url: 'https://b.example', account: ACME.activehosted.com}", True),
    ("{url: 'https://acme.api-us1.com'}", "{url: 'https://${env.NAME}.api-us1.com'}", True),
    ("{url: '${env.URL}'}", "{url: 'https://acme.api-us1.com'}", True),
    ("{url: '${env.UNSET}'}", "{url: '${env.UNSET}/'}", True),
    ("{url: 'https://acme.api-us1.com', token: k}", "{url: 'http://127.0.0.1:8080', token: k}", True),
    ("{url: 'https://acme.api-us1.com', token: k}", "{url: 'https://proxy.example/acme', token: '${env.KEY}'}", True),
    ("{url: 'http://localhost:8080'}", "{url: 'http://127.0.0.1:8080/'}", True),
    ("{url: 'emulator:state/a.db'}", "{url: 'emulator:state/../state/a.db'}", True),
    ("{url: 'emulator:state/a.db'}", "{url: 'emulator:${env.FOLDER}/state/a.db'}", True),
    ("{url: 'emulator:state/a.db'}", "{url: 'emulator:link/a.db'}", True),
    ("{url: 'https://acme.api-us1.com'}", "{url: 'https://acme-test.api-us1.com'}", False),
    ("{url: 'https://acme.api-us1.com', token: k}", "{url: 'https://test.api-us1.com', token: k}", False),
    ("{url: 'https://${env.UNSET}', token: k}", "{url: 'https://proxy.example', token: k}", False),
    ("{url: 'http://localhost:8080', token: k}", "{url: 'http://localhost:8081', token: k}", False),
    ("{url: 'emulator:a.db', account: demo}", "{url: 'emulator:b.db', account: demo}", False),
    ("{url: 'https://acme.example', token: ''}", "{url: 'https://other.example', token: ''}", False),
]
"""A production environment, another one, and whether they are one account."""


@pytest.mark.parametrize(("one", "another", "same"), ADDRESSES)
@pytest.mark.parametrize("turned", [False, True])
def test_an_account_is_the_same_however_it_is_written(
    tmp_path: Path, one: str, another: str, same: bool, turned: bool
) -> None:
    """In case, slashes, port, domain of the vendor, name, key, path and variables; whichever says production."""
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "state")
    one, another = (another, one) if turned else (one, another)
    text = f"version: 1\nenvironments:\n  p: {one[:-1]}, production: true}}\n  s: {another}\n"
    loaded = parse_project(text.encode(), tmp_path)
    environ = {"NAME": "acme", "URL": "https://acme.api-us1.com/", "KEY": "k", "FOLDER": str(tmp_path)}
    assert production_by(loaded, "s", environ) == ("p" if same else "")
    assert production_by(loaded, "p", environ) == "p"
    assert [problem.code for problem in disagreeing(loaded, environ)] == ["production-elsewhere"] * same


@pytest.mark.parametrize(
    ("prod", "own", "by"),
    [
        ("https://acme.api-us1.com", "https://mail.acme.example", "prod"),
        ("https://mail.acme.example", "https://elsewhere.example", "prod"),
        ("https://acme-prod.api-us1.com", "https://mail.acme.example", ""),
        ("https://mail.acme.example", "https://demo.api-us1.com", ""),
    ],
)
def test_the_account_itself_is_asked_where_no_address_tells(world: World, prod: str, own: str, by: str) -> None:
    """`/settings/account` says the name and its alias; nothing is asked where the address of the vendor says it."""
    world.write(
        f"version: 1\nenvironments: {{prod: {{url: '{prod}', token: t, production: true}}, "
        f"sandbox: {{url: '{own}', token: u}}}}\n",
        "reconciler.yaml",
    )
    session = world.session(environment="sandbox")
    assert session.production == ""
    remote = Canned({"account": "acme", "cname": "mail.acme.example"})
    run(check_account(session, remote, None))
    assert session.production == (by and f"`sandbox` is the account of `{by}`, a production account")
    assert len(remote.asked) == account_requests(session) == (0 if "demo" in own else 1)


@pytest.mark.parametrize("remembers", ["state", "facts", ""])
def test_a_production_account_without_its_address_is_known_by_what_is_here(same: World, remembers: str) -> None:
    """Where the variable of its address is not set, its state or its facts say which account it is; where nothing
    does, that it is not known is said.
    """
    text = SAME.replace('"emulator:state/account.db", account: demo', "'${env.ELSEWHERE}'")
    same.write(text.replace(', state: "file:state/prod.json"', ""), "reconciler.yaml")
    if remembers != "state":
        (same.folder / "state/prod.json").unlink()
    ran = same.cli("probe", "--read-only", "--row", "31")
    assert ran.code == 0, ran.text
    for path in (same.folder / ".reconciler/facts").glob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**content, "environment": "prod" if remembers == "facts" else "sandbox"}), "utf-8")
    same.forget()
    ran = same.cli("probe", "--yes-this-is-a-sandbox", "--row", "33")
    if remembers:
        assert (ran.code, same.writes(), "`sandbox` is the account of `prod`" in ran.err) == (7, [], True), ran.text
    else:
        assert (ran.code, "account of `prod` is not known" in " ".join(ran.err.split())) == (0, True), ran.text
