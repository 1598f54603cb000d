"""Secrets in every place where a fleet takes some: none is in what it shows or keeps, whatever accounts answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from reconciler.emulator import open_account
from reconciler.fleet.accounts import AccountSelection
from reconciler.fleet.baselines import Baselines
from reconciler.fleet.job import Worker
from reconciler.fleet.references import AGAIN, secret_in
from reconciler.fleet.running import begin, open_fleet
from reconciler.model.fleet import Job, JobResult
from reconciler.workflow.opening.runtime import Runtime
from tests.ci.serving import JSON, Answer, Call, serving
from tests.fleet.conftest import Fleet
from tests.fleet.test_telemetry import rows_of_postgresql, rows_of_sqlite
from tests.store.servers import postgresql
from tests.trust.test_redaction import ENCODINGS

PLANTED = {
    "the key of an account": "planted-key-3c1f9a77d2",
    "a key that is none": "planted-ba\u00e9d-key-4411aa",
    "a secret of the baseline": "planted-secret-81ee04b65f",
    "a variable of the fleet file": "planted-variable-55aa11bb22",
    "a variable of a list": "planted-column-66bb22cc33",
    "a value inside of a variable": "planted-inner-77cc33dd44",
    "the password of the states": "planted-password-88dd44ee55",
    "what an account was changed to": "planted-drift-99ee55ff66",
    "what an account answers": "planted-answer-00ff66aa77",
    "an address of a person": "planted.person@people.example",
}
KEY, BAD, SECRET, VARIABLE, COLUMN, INNER, PASSWORD, DRIFT, ANSWER, PERSON = PLANTED.values()
CONFIG = """
variables:
  path: {type: string, default: none}
  inner: {type: string, default: ""}
tags:
  vip: {name: VIP}
webhooks:
  crm: {name: CRM, url: "https://hooks.example/ac?key=${secret.HOOK}", events: [subscribe], sources: [public]}
  chat: {name: Chat, url: "https://chat.example/${var.path}/in", events: [unsubscribe], sources: [public]}
  more: {name: More, url: "${var.inner}", events: [unsubscribe], sources: [public]}
"""
FILE = f"""
version: 1
baselines: {{crm: {{folder: baselines/crm, version: '1.0'}}}}
defaults:
  baseline: crm
  token: '${{env.TOKEN}}'
  state: 'file:state/${{env.WHERE}}/{{name}}.json'
  variables: {{path: {VARIABLE}, inner: 'https://x.example/in?sig={INNER}'}}
accounts:
  good: {{url: 'emulator:accounts/good.json'}}
  bad: {{url: 'https://bad.api-us1.com', token: '${{env.AC_BAD}}'}}
sources: [{{csv: more.csv}}]
waves: [{{name: all, max_failures: 100 %, max_records_at_risk: null}}]
"""


def answered(call: Call) -> Answer:
    """An account that says all that it was told, and more, with a status of its own."""
    url = f"https://user:{ANSWER}@x.example/p?sig={ANSWER}"
    text = f"{call.headers.get('api-token')} {SECRET} {COLUMN} {url} {PERSON} is not allowed"
    _, status, form = call.path.split("/")[:3]
    if form == "html":
        return Answer(int(status), f"<h1>{text}</h1>".encode(), {"Content-Type": "text/html"})
    return Answer(int(status), {"message": text, "errors": [{"title": text}]}, JSON)


@pytest.fixture(scope="module")
def answering() -> Iterator[str]:
    """The origin of accounts that answer so."""
    with serving(answered) as url:
        yield url


def planted_in(text: str) -> list[str]:
    """Return what was planted and stands in a text, and how it is spelled there."""
    return [
        f"{where}: {way}"
        for where, secret in PLANTED.items()
        for way, to in ENCODINGS.items()
        if to(secret.encode()) in text
    ]


def urls_of(fleet: Fleet, account: str) -> list[str]:
    """Return where an account sends events."""
    opened = open_account(fleet.folder / "accounts" / f"{account}.json")
    try:
        return sorted(str(row["url"]) for row in opened.rows.all("webhooks"))
    finally:
        opened.close()


def changed(fleet: Fleet, account: str) -> None:
    """Change where an account sends events, as people do in its screens."""
    opened = open_account(fleet.folder / "accounts" / f"{account}.json")
    try:
        rows = list(opened.rows.all("webhooks"))
        with opened.rows.transaction():
            for row in rows:
                opened.rows.put("webhooks", row["id"], {**row, "url": f"https://elsewhere.example/{DRIFT}?x={DRIFT}"})
    finally:
        opened.close()


@pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
def test_what_is_secret_is_nowhere(fleet: Fleet, answering: str, on: str) -> None:
    """After each command, in each form, in every row, file and page: some accounts fail, one was changed."""
    fleet.write(FILE, CONFIG)
    rows = [
        f"e{status}{form},{answering}/{status}/{form},{COLUMN}" for status in (402, 422) for form in ("json", "html")
    ]
    (fleet.folder / "more.csv").write_text("\n".join(["name,url,variable.path", *rows]))
    fleet.environ.update(TOKEN=KEY, HOOK=SECRET, AC_BAD=BAD, WHERE="here", PGPASSWORD=PASSWORD)
    out = dict[str, str]()
    with postgresql() if on == "postgresql" else nullcontext(None) as url:
        where = ("--database", url) if url else ()

        def run(*words: str) -> None:
            ran = fleet.run(*words, *where)
            assert ran.code in (0, 5), ran
            out[" ".join(words)] = ran.out + ran.err

        run("validate")
        for form in ("text", "json"):
            run("plan", "--format", form)
        run("apply")
        assert urls_of(fleet, "good") == [
            f"https://chat.example/{VARIABLE}/in",
            f"https://hooks.example/ac?key={SECRET}",
            f"https://x.example/in?sig={INNER}",
        ]
        changed(fleet, "good")
        run("drift", "--format", "json")
        run("plan")
        for form in ("text", "json", "markdown", "html"):
            run("report", "--format", form)
        run("report", "--out", str(fleet.folder / "pages"))
        run("status", "--all")
        run("status", "--accounts")
        out["the rows"] = rows_of_postgresql(url) if url else rows_of_sqlite(fleet.folder / ".reconciler" / "fleet.db")
    given = (fleet.folder / "fleet.yaml", fleet.folder / "more.csv")
    for file in fleet.folder.rglob("*"):
        if file.is_file() and file not in given and file.relative_to(fleet.folder).parts[0] != "accounts":
            out[str(file)] = file.read_text("utf-8", "replace")
    assert {where: found for where, text in out.items() if (found := planted_in(text))} == {}
    assert "is not allowed" in out["the rows"], "no answer of an account is in what was searched"
    assert any("/pages/" in where and "webhook" in text for where, text in out.items())
    assert list((fleet.folder / "state" / "here").iterdir())
    assert len(planted_in("".join(PLANTED.values()))) >= len(PLANTED)


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (f"{INNER}", True),
        (f"https://x.example/in?sig={INNER}", True),
        ({"deep": [{"er": INNER}]}, True),
        (INNER[3:], True),
        ("Member", False),
        ("dd44", False),
        (12, False),
        ({}, False),
    ],
)
def test_a_variable_is_secret_where_a_secret_is_made_of_it(value: object, hidden: bool) -> None:
    """Short ones are in every second word."""
    assert secret_in({"x": value}, {INNER}) == (["x"] if hidden else [])


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("state: 'postgresql://u:planted@db/s?state={name}'", "`${env.NAME}`"),
        ("state: 'file:${env.NOWHERE}/{name}.json'", "export NOWHERE"),
    ],
)
def test_a_state_with_a_password_is_refused_and_a_variable_has_to_be_there(
    fleet: Fleet, setting: str, hint: str
) -> None:
    """A variable is looked up where the job runs: to validate, and to begin, nobody needs it."""
    fleet.write(FILE.replace("state: 'file:state/${env.WHERE}/{name}.json'", setting), CONFIG)
    (fleet.folder / "more.csv").write_text("name,url\n")
    fleet.environ.update(TOKEN=KEY, HOOK=SECRET)
    ran = fleet.run("plan", "--account", "good")
    assert ran.code == (3 if "password" in ran.err else 5)
    assert hint in " ".join((ran.out + ran.err).split())
    assert "planted@" not in ran.out + ran.err


class TestHiddenVariables:
    """A job names its secret variables, and a worker takes them from the files."""

    def begun(self, fleet: Fleet, path: str = VARIABLE) -> tuple[Job, Baselines]:
        """Return a job whose variable is secret, and the baselines of another process."""
        text = FILE.replace(VARIABLE, path).replace("sources: [{csv: more.csv}]\n", "").replace("${env.WHERE}/", "")
        fleet.write(text, CONFIG)
        runtime = Runtime(environ={"HOOK": SECRET, "TOKEN": KEY})
        spec = begin(open_fleet(fleet.folder, runtime), "plan", AccountSelection())
        return spec.jobs["good"], open_fleet(fleet.folder, runtime).baselines

    def planned(self, job: Job, baselines: Baselines) -> JobResult:
        """Return what a worker says of a job."""
        return asyncio.run(Worker(baselines).plan(job))

    def test_a_job_does_not_hold_them_and_is_done_with_them(self, fleet: Fleet) -> None:
        """The digest covers them."""
        job, baselines = self.begun(fleet)
        assert (job.variables, sorted(job.hidden)) == ({}, ["inner", "path"])
        assert baselines.session(job).settings.variables["path"] == VARIABLE
        assert self.planned(job, baselines).outcome == "changes"

    def test_what_the_files_say_otherwise_now_is_stale(self, fleet: Fleet) -> None:
        """As a baseline is whose files changed."""
        job, _ = self.begun(fleet)
        _, later = self.begun(fleet, "planted-otherwise-11223344")
        assert self.planned(job, later).outcome == "stale"
        fleet.write(FILE.replace("sources: [{csv: more.csv}]\n", "").replace(f"path: {VARIABLE}, ", ""), CONFIG)
        result = self.planned(job, open_fleet(fleet.folder, Runtime(environ={"HOOK": SECRET, "TOKEN": KEY})).baselines)
        assert (result.outcome, "no variable `path`" in result.message) == ("stale", True)

    def test_a_worker_that_goes_on_for_weeks_reads_what_changed(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not more than every few seconds."""
        job, baselines = self.begun(fleet)
        assert self.planned(job, baselines).outcome == "changes"
        newer, _ = self.begun(fleet, "planted-otherwise-11223344")
        assert self.planned(newer, baselines).outcome == "stale"
        monkeypatch.setattr("reconciler.fleet.references.AGAIN", -AGAIN)
        assert self.planned(newer, baselines).outcome == "changes"
        assert self.planned(job, baselines).outcome == "stale"

    def test_a_variable_that_is_new_in_the_files_is_read(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker that began before it was written knows the others already."""
        monkeypatch.setattr("reconciler.fleet.references.AGAIN", -AGAIN)
        job, baselines = self.begun(fleet)
        assert baselines.given.whole(job).variables["path"] == VARIABLE
        file = fleet.folder / "fleet.yaml"
        file.write_text(file.read_text().replace("variables: {", "variables: {fresh: planted-fresh, "))
        assert baselines.given.whole(job.model_copy(update={"hidden": ["fresh"]})).variables == {
            "fresh": "planted-fresh"
        }


def test_no_address_has_a_password(fleet: Fleet, tmp_path: Path) -> None:
    """It would be kept with each job."""
    fleet.write(FILE.replace("https://bad.api-us1.com", "https://u:planted@bad.api-us1.com"), CONFIG)
    (tmp_path / "more.csv").write_text("name,url\n")
    ran = fleet.run("validate")
    assert ran.code == 3
    assert "an address has no password" in " ".join(ran.err.split())
    assert "planted@" not in ran.err
