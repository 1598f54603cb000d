"""What a fleet file may say, and where its mistakes are shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.config.reading.fleet import load_fleet
from reconciler.emulator.serving import Served
from reconciler.emulator.settings import AccountSettings
from reconciler.fleet.accounts import members
from reconciler.fleet.partners import child_accounts
from reconciler.model.codehost import HostAnswer
from reconciler.model.errors import AuthError, ConfigError, RemoteError
from reconciler.model.fleet import Job
from tests.fleet.conftest import Fleet, file_of

HEAD = "version: 1\nbaselines: {crm: {folder: baselines/crm, version: '2.1'}}\n"


def read(fleet: Fleet, text: str, environ: Mapping[str, str] | None = None, web: object = None) -> dict[str, Job]:
    """Return the accounts of a fleet file."""
    fleet.write(text)
    return members(load_fleet(fleet.folder), environ or {}, web)  # type: ignore[arg-type]


def mistakes(fleet: Fleet, text: str) -> list[str]:
    """Return what is wrong with a fleet file, each with its place."""
    with pytest.raises(ConfigError) as caught:
        read(fleet, text)
    return [f"{one.at}: {one.message}" if one.at else one.message for one in caught.value.diagnostics]


class Partners:
    """The Partners API, as far as it lists accounts: rows as a list or as a map, pages from 1."""

    def __init__(self, names: list[str], *, as_map: bool = False, status: int = 200, size: int = 2) -> None:
        self.names, self.as_map, self.status, self.size = names, as_map, status, size
        self.asked: list[Mapping[str, object]] = []

    def exchange(self, method: str, url: str, **more: object) -> HostAnswer:
        query = more["query"]
        assert isinstance(query, dict)
        assert more["headers"] == {"api-key": "secret-key", "Accept": "application/json"}
        self.asked.append({"method": method, "url": url, **query})
        page = int(query["page"])
        rows = [
            {"id": at, "account_name": name, "created_at": "2026-01-01", "updated_at": "2026-01-01"}
            for at, name in enumerate(self.names, 1)
        ][(page - 1) * self.size : page * self.size]
        body = {
            "hosted_accounts": {str(row["id"]): row for row in rows} if self.as_map else rows,
            "pagination": {"total": len(self.names), "page": page, "limit": self.size,
                           "total_pages": -(-len(self.names) // self.size)},
        }  # fmt: skip
        return HostAnswer(self.status, {}, json.dumps(body).encode())


DISCOVERED = (
    HEAD + "defaults: {baseline: crm, token: '${env.AC_{NAME}}'}\n"
    "sources: [{partners: {url: 'https://hub.example', token: '${env.HUB}'}}]\n"
)


class TestReading:
    """The fleet file, and the lists that it names."""

    def test_accounts_get_what_defaults_say(self, fleet: Fleet) -> None:
        """Accounts get what defaults say."""
        jobs = read(
            fleet,
            HEAD
            + "defaults: {baseline: crm, token: '${env.AC_{NAME}_TOKEN}', labels: {tier: one}, variables: {a: 1}}\n"
            "accounts: {acme-eu: {url: 'https://acme.api-us1.com', variables: {b: 2}, labels: {region: eu}}}\n",
        )
        job = jobs["acme-eu"]
        assert (job.token, job.baseline, job.version) == ("AC_acme_eu_TOKEN".upper(), "crm", "2.1")
        assert job.variables == {"a": 1, "b": 2}
        assert job.labels == {"tier": "one", "region": "eu"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (HEAD + "accounts: {a: {url: 'emulator:x'}}\n", "the account `a` has no baseline"),
            (HEAD + "accounts: {a: {url: 'emulator:x', baseline: crn}}\n", "there is no baseline `crn`"),
            (
                HEAD + "defaults: {baseline: crm}\naccounts: {a: {url: 'emulator:x', wave: two}}\n",
                "there is no wave `two`",
            ),
            (HEAD + "accounts: {a: {url: 'emulator:x', baseline: crm, token: abc}}\n", "`token`"),
            (HEAD + "waves: [{name: a}, {name: a}]\n", "there are two waves `a`"),
            (
                HEAD + "waves: [{name: a, accounts: 3 of them}]\n",
                "say a number, a percentage such as",
            ),
            (HEAD + "defaults: {baseline: crm, state: 'file:state.json'}\n", "each account needs a state of its own"),
            ("version: 1\nbaselines: {crm: {folder: nowhere}}\n", "there is no reconciler.yaml in `nowhere`"),
            ("version: 1\nbaselines: {crm: {folder: ../..}}\n", "`../..` is not read"),
            ("- a\n", "a fleet file is one map"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, fleet: Fleet, text: str, message: str) -> None:
        """A mistake is told with its place."""
        assert any(message in one for one in mistakes(fleet, text))

    def test_two_accounts_of_one_url_are_an_error(self, fleet: Fleet) -> None:
        """Two accounts of one url are an error."""
        text = file_of({"a": "", "b": ""}).replace("accounts/b.json", "accounts/a.json")
        assert any("`a` and `b` are the same one" in one for one in mistakes(fleet, text))

    def test_lists_add_accounts_and_name_their_lines(self, fleet: Fleet) -> None:
        """Lists add accounts and name their lines."""
        (fleet.folder / "more.csv").write_text(
            "name,url,label.region,variable.greeting\nbeta,https://beta.api-us1.com,us,hi\ncore,https://core.api-us1.com,,\n"
        )
        rows = [{"name": "dent", "url": "https://dent.api-us1.com", "labels": {"region": "uk"}}]
        (fleet.folder / "more.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
        text = HEAD + "defaults: {baseline: crm}\nsources: [{csv: more.csv}, {jsonl: more.jsonl}]\n"
        jobs = read(fleet, text)
        assert {name: (job.labels, job.variables) for name, job in jobs.items()} == {
            "beta": ({"region": "us"}, {"greeting": "hi"}),
            "core": ({}, {}),
            "dent": ({"region": "uk"}, {}),
        }

        (fleet.folder / "more.csv").write_text(
            "name,url,tokn\nbeta,https://b.api-us1.com,x\n../x,https://c.api-us1.com,\n"
        )
        (fleet.folder / "more.jsonl").write_text('{"name": "dent", "name": "x"}\n[]\n{"name": "dent", "url": 3}\n')
        found = mistakes(fleet, text)
        for wanted in (
            "more.csv:1:1: there is no column `tokn`",
            "more.csv:3:1: `../x` cannot name an account",
            "more.jsonl:1:1: it is not JSON: a key is there twice",
            "more.jsonl:2:1: each line is an object",
            "more.jsonl:3:1: `url`",
        ):
            assert any(one.startswith(wanted) for one in found), (wanted, found)

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ("name;url\na;https://a.api-us1.com\n", ["1:1: there is no column `name;url`"]),
            ("url\nhttps://a.api-us1.com\n", ["1:1: the column `name` is missing"]),
            ("name,url,url\na,https://a.api-us1.com,https://b.api-us1.com\n", ["1:1: the column `url` is there twice"]),
            (
                "name,url,token\na,https://a.api-us1.com,0123456789abcdef\n",
                ["2:1: `token` does not have the right form"],
            ),
            (
                "name,url,label.Reg ion\na,https://a.api-us1.com,eu\n",
                ["2:1: `labels.Reg ion` does not have the right form"],
            ),
        ],
    )
    def test_what_is_wrong_with_a_list_is_told_once_without_its_values(
        self, fleet: Fleet, content: str, told: list[str]
    ) -> None:
        """A key that stands in a list by mistake is shown nowhere; a column that is there twice hid the first one."""
        (fleet.folder / "more.csv").write_text(content)
        text = HEAD + "defaults: {baseline: crm}\nsources: [{csv: more.csv}]\n"
        assert mistakes(fleet, text) == [f"more.csv:{one}" for one in told]

    def test_lists_from_spreadsheets_are_read(self, fleet: Fleet) -> None:
        """With a byte order mark, quotes, lines that end as on Windows, twenty thousand rows; or none at all."""
        text = HEAD + "defaults: {baseline: crm}\nsources: [{csv: more.csv}]\n"
        file = fleet.folder / "more.csv"
        rows = "".join(f'c{at},https://c{at}.api-us1.com,"a ""b"", {at}"\r\n' for at in range(20_000))
        file.write_bytes(("\ufeffname,url,variable.greeting\r\n" + rows).encode())
        jobs = read(fleet, text)
        assert len(jobs) == 20_000
        assert jobs["c19999"].variables == {"greeting": 'a "b", 19999'}
        for content in ("", "name,url\n", "\ufeff"):
            file.write_text(content, "utf-8")
            assert read(fleet, text) == {}
        file.write_text("name,url\na,https://a.api-us1.com\na,https://b.api-us1.com\n")
        assert mistakes(fleet, text) == ["more.csv:3:1: the account `a` is there twice"]

    @pytest.mark.parametrize("as_map", [False, True])
    def test_accounts_are_discovered_from_the_partners_api(self, fleet: Fleet, as_map: bool) -> None:
        """Accounts are discovered from the partners api."""
        hub = Partners(["acme", "Beta-Co", "", "core.activehosted.com"], as_map=as_map)
        jobs = read(fleet, DISCOVERED, {"HUB": "secret-key"}, hub)
        assert {name: (job.url, job.token) for name, job in jobs.items()} == {
            "acme": ("https://acme.api-us1.com", "AC_ACME"),
            "beta-co": ("https://beta-co.api-us1.com", "AC_BETA_CO"),
            "core": ("https://core.api-us1.com", "AC_CORE"),
        }
        assert [one["page"] for one in hub.asked] == [1, 2]
        assert {one["is_archived"] for one in hub.asked} == {"false"}

    def test_another_account_of_a_name_that_the_agency_has_is_told(self, fleet: Fleet) -> None:
        """With the place where the fleet file names the API."""
        text = DISCOVERED + "accounts: {acme: {url: 'https://other.activehosted.com'}}\n"
        with pytest.raises(ConfigError) as caught:
            read(fleet, text, {"HUB": "secret-key"}, Partners(["acme"]))
        first = caught.value.diagnostics[0]
        assert (first.message, first.at and first.at.file) == ("the account `acme` is there twice", "fleet.yaml")

    def test_a_partners_api_that_refuses_or_says_nothing_is_an_error(self, fleet: Fleet) -> None:
        """A partners api that refuses or says nothing is an error."""
        with pytest.raises(AuthError, match="refuses the key"):
            read(fleet, DISCOVERED, {"HUB": "secret-key"}, Partners([], status=401))
        with pytest.raises(RemoteError, match="answered 500"):
            read(fleet, DISCOVERED, {"HUB": "secret-key"}, Partners([], status=500))
        with pytest.raises(ConfigError) as caught:
            read(fleet, DISCOVERED, {}, Partners([]))
        assert caught.value.diagnostics[0].message == "the environment variable HUB is not set"

    def test_what_the_partners_api_lists_and_cannot_be_used_is_told(self, fleet: Fleet) -> None:
        """A client that nothing is done for is known by that; one that is listed twice is one."""
        fleet.write(DISCOVERED)
        told = list[str]()
        hub = Partners(["acme", "x y", "ACME.activehosted.com", ""], size=9)
        jobs = members(load_fleet(fleet.folder), {"HUB": "secret-key"}, hub, told.append)
        assert sorted(jobs) == ["acme"]
        assert told == [
            "the Partners API lists `x y` (id 2), which cannot name an account",
            "the Partners API lists `ACME.activehosted.com` (id 3), an account that it lists before",
            "the Partners API lists `` (id 4), which cannot name an account",
        ]

    def test_what_the_files_say_of_a_discovered_account_holds(self, fleet: Fleet) -> None:
        """By its name or another name of the same account, wherever the list stands; another account of that name is
        a mistake.
        """
        own = "accounts:\n  acme: {url: 'https://acme.api-us1.com', wave: first}\n  bob: {url: 'https://beta.activehosted.com'}\n"
        text = DISCOVERED + own + "waves: [{name: first, accounts: 0}, {name: rest}]\n"
        jobs = read(fleet, text, {"HUB": "secret-key"}, Partners(["acme", "beta", "core"]))
        assert {name: job.wave for name, job in jobs.items()} == {"acme": "first", "bob": None, "core": None}
        with pytest.raises(ConfigError) as caught:
            read(
                fleet, text.replace("https://acme.api", "https://other.api"), {"HUB": "secret-key"}, Partners(["acme"])
            )
        assert caught.value.diagnostics[0].message == "the account `acme` is there twice"

    def test_a_partners_api_that_is_busy_is_asked_again(self, fleet: Fleet) -> None:
        """As long as it says, and not for ever."""
        pauses = list[float]()

        class Busy(Partners):
            def exchange(self, method: str, url: str, **more: object) -> HostAnswer:
                answer = super().exchange(method, url, **more)
                return HostAnswer(429, {}, b"", 7.0) if len(self.asked) < 3 else answer

        fleet.write(DISCOVERED)
        (source,) = load_fleet(fleet.folder).fleet.sources
        assert source.partners is not None
        environ = {"HUB": "secret-key"}
        found = child_accounts(Busy(["acme"]), source.partners, environ, sleep=pauses.append)
        assert ([row["name"] for row in found], pauses) == (["acme"], [7.0, 7.0])
        pauses.clear()
        with pytest.raises(RemoteError) as caught:
            list(child_accounts(Partners([], status=503), source.partners, environ, sleep=pauses.append))
        assert (pauses, caught.value.hint) == ([2.0, 4.0, 8.0], "it is asked too often, or is down: try again later")

    def test_a_missing_file_says_what_to_do(self, tmp_path: Path) -> None:
        """A missing file says what to do."""
        with pytest.raises(ConfigError) as caught:
            load_fleet(tmp_path)
        assert caught.value.diagnostics[0].message == f"there is no fleet.yaml in {tmp_path}"

    def test_the_emulator_lists_its_accounts_as_an_agency_does(self, fleet: Fleet) -> None:
        """A fleet finds the named accounts of a served emulator, page by page."""
        served = Served(None, AccountSettings())
        names = [f"client-{at:02}" for at in range(25)]
        for name in names:
            served.account(name)

        class Local:
            def exchange(self, method: str, url: str, **more: Any) -> HostAnswer:
                async def ask() -> httpx.Response:
                    transport = httpx.ASGITransport(served)
                    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
                        query = {**more["query"], "limit": 10}
                        return await client.request(method, url, headers=more["headers"], params=query)

                answer = asyncio.run(ask())
                return HostAnswer(answer.status_code, {}, answer.content)

        text = DISCOVERED.replace("https://hub.example", "http://hub").replace(
            "token: '${env.HUB}'", "token: '${env.HUB}', accounts: 'http://hub/acct/{name}/api/3'"
        )
        jobs = read(fleet, text, {"HUB": AccountSettings().token}, Local())
        assert sorted(jobs) == names
        assert jobs["client-07"].url == "http://hub/acct/client-07/api/3"
        with pytest.raises(AuthError):
            read(fleet, text, {"HUB": "wrong"}, Local())
        served.close()
