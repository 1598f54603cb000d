"""Production accounts of a fleet: by whichever name, and what is taken away from one waits for an approval."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli import program
from reconciler.fleet.accounts import AccountSelection
from reconciler.fleet.running import begin, open_fleet
from reconciler.fleet.spec import RolloutSpec
from reconciler.model.errors import ConfigError
from reconciler.workflow.opening.runtime import Runtime
from tests.fleet.conftest import CONFIG, Fleet, file_of

WAVES = "waves: [{name: first, accounts: 1}, {name: rest}]"
FEWER = CONFIG.replace("  gold: {name: Gold}\n", "")


def spec_of(fleet: Fleet, accounts: str, project: str = "", defaults: str = "", **environ: str) -> RolloutSpec:
    """Return the rollout that an apply begins."""
    text = "version: 1\nbaselines: {crm: {folder: baselines/crm}}\ndefaults: {baseline: crm" + defaults + "}\n"
    fleet.write(text + "accounts:\n" + accounts)
    if project:
        (fleet.folder / "baselines" / "crm" / "reconciler.yaml").write_text(project)
    return begin(open_fleet(fleet.folder, Runtime(environ=environ)), "apply", AccountSelection())


PROD = "  prod: {url: 'https://acme.api-us1.com', token: '${env.KEY}', production: true}\n"
MEANS = {
    "says so": ("", "  a: {url: 'https://a.api-us1.com', production: true}\n", "a"),
    "says nothing": (PROD, "  a: {url: 'https://a.api-us1.com', token: '${env.KEY}'}\n", ""),
    "an address that does not tell": (PROD, "  a: {url: 'https://crm.example.com'}\n", "prod"),
    "another address, as the file says": (PROD, "  a: {url: 'https://crm.example.com', production: false}\n", ""),
    "its key, whatever the file says": (
        PROD,
        "  a: {url: 'https://crm.example.com', production: false, token: '${env.KEY}'}\n",
        "prod",
    ),
    "no production anywhere": ("", "  a: {url: 'https://crm.example.com'}\n", ""),
    "an emulated one": (PROD, "  a: {url: 'emulator:accounts/a.json'}\n", ""),
}
PROJECT = """\
version: 1
environments:
  live: {url: 'https://acme.api-us1.com/api/3', production: true}
  tried: {url: 'emulator:tried.json', production: true}
  dev: {url: 'https://dev.api-us1.com'}
"""
OF_A_BASELINE = {
    "https://acme.api-us1.com": "crm/live",
    "https://ACME.activehosted.com/": "crm/live",
    "https://dev.api-us1.com": "",
    "emulator:baselines/crm/tried.json": "crm/tried",
    "emulator:tried.json": "",
}


class TestWhoseItIs:
    """Which accounts are production accounts."""

    @pytest.mark.parametrize("case", MEANS)
    def test_an_account_is_one_by_what_the_file_says_and_by_its_names(self, fleet: Fleet, case: str) -> None:
        """What cannot be told from one counts as one, unless the file says that it is another."""
        more, account, by = MEANS[case]
        assert spec_of(fleet, more + account, KEY="k").jobs["a"].production_by == by

    @pytest.mark.parametrize("url", OF_A_BASELINE)
    def test_the_environments_of_a_baseline_count(self, fleet: Fleet, url: str) -> None:
        """By each of the names of their accounts."""
        assert spec_of(fleet, f"  a: {{url: '{url}'}}\n", PROJECT).jobs["a"].production_by == OF_A_BASELINE[url]

    def test_a_default_holds_for_accounts_that_say_nothing(self, fleet: Fleet) -> None:
        """Also of those in lists; the column takes what people write, and nothing else."""
        rows = "name,url,production\nb,https://b.api-us1.com,FALSE\nc,https://c.api-us1.com,\n"
        (fleet.folder / "more.csv").write_text(rows)
        accounts = "  a: {url: 'https://a.api-us1.com'}\nsources: [{csv: more.csv}]\n"
        spec = spec_of(fleet, accounts, defaults=", production: true")
        assert {name: job.production_by for name, job in spec.jobs.items()} == {"a": "a", "b": "", "c": "c"}
        (fleet.folder / "more.csv").write_text(rows.replace("FALSE", "perhaps"))
        with pytest.raises(ConfigError) as caught:
            spec_of(fleet, accounts)
        assert "`production`" in caught.value.diagnostics[0].message

    def test_one_account_under_two_domains_of_the_vendor_is_there_twice(self, fleet: Fleet) -> None:
        """The two would undo each other."""
        two = "  a: {url: 'https://acme.api-us1.com'}\n  b: {url: 'https://acme.activehosted.com'}\n"
        with pytest.raises(ConfigError) as caught:
            spec_of(fleet, two)
        assert "the accounts `a` and `b` are the same one" in caught.value.diagnostics[0].message

    def test_a_production_account_is_asked_less_often(self, fleet: Fleet) -> None:
        """As in a single run, unless the file says how often."""
        for said, rates in (("", (3.0, 5.0)), (", requests_per_second: 4", (4.0, 4.0))):
            accounts = PROD + "  a: {url: 'https://a.api-us1.com', token: '${env.KEY}'}\n"
            jobs = spec_of(fleet, accounts, defaults=said, KEY="k").jobs
            baselines = open_fleet(fleet.folder, Runtime(environ={"KEY": "k"})).baselines
            assert tuple(baselines.session(jobs[name]).settings.requests_per_second for name in ("prod", "a")) == rates

    def test_validate_says_who_counts_though_the_file_does_not_say_so(
        self, fleet: Fleet, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """And what to write."""
        spec_of(fleet, PROD + "  a: {url: 'https://crm.example.com'}\n")
        assert program.run(["--chdir", str(fleet.folder), "fleet", "validate"]) == 0
        shown = capsys.readouterr().err
        assert "production: 2 accounts" in shown
        assert "Warning: `a` counts as production: it is, or may be, the account of `prod`" in shown


def test_what_is_taken_away_from_a_production_account_waits_for_an_approval(fleet: Fleet) -> None:
    """Of exactly these plans, though the wave does not say `approve`; what adds to it, or changes it, does not wait,
    and neither do the waves of other accounts.
    """
    accounts = {"live": "wave: rest, production: true", "test": "wave: first"}
    fleet.write(file_of(accounts, WAVES))
    assert fleet.run("apply", "-q").code == 0
    assert (fleet.tags("live"), fleet.tags("test")) == (["Gold", "VIP"], ["Gold", "VIP"])

    fleet.write(file_of(accounts, WAVES), FEWER)
    assert "takes something away from 1 production account: live" in fleet.run("plan", "-q").out
    waiting = fleet.run("apply", "-q", "--format", "json")
    assert (waiting.code, waiting.data["state"]) == (7, "approval")
    assert (fleet.tags("live"), fleet.tags("test")) == (["Gold", "VIP"], ["VIP"])
    first, rest = waiting.data["waves"]
    assert (first["state"], first["production"]) == ("done", [])
    assert (rest["state"], rest["production"]) == ("approval", ["live"])
    status = fleet.run("status")
    assert "takes something away from 1 production account: live" in status.out
    assert "live" in fleet.run("report", "--format", "markdown").out.partition("1 production account")[2]
    assert "takes something away from 1 production account: live" in fleet.run("report", "--format", "html").out

    name = waiting.data["name"]
    assert fleet.run("approve", name, "--wave", "rest", "--digest", rest["digest"]).code == 0
    assert fleet.run("resume", "-q").code == 0
    assert fleet.tags("live") == ["VIP"]


def test_a_production_account_of_a_baseline_waits_too(fleet: Fleet, tmp_path: Path) -> None:
    """Where the fleet file knows nothing of it."""
    fleet.write(file_of({"live": ""}))
    project = "version: 1\nenvironments:\n  live: {url: 'emulator:../../accounts/live.json', production: true}\n"
    (tmp_path / "baselines" / "crm" / "reconciler.yaml").write_text(project)
    assert fleet.run("apply", "-q").code == 0
    (tmp_path / "baselines" / "crm" / "config" / "main.yaml").write_text(FEWER)
    assert fleet.run("apply", "-q").code == 7
    assert fleet.tags("live") == ["Gold", "VIP"]


def test_a_plan_that_a_guard_stopped_is_kept_for_whoever_may_allow_it(fleet: Fleet) -> None:
    """Its report says what is lost, and which line of the file allows it; that line does. Nothing is applied before."""
    accounts = {"live": ""}
    fleet.write(file_of(accounts))
    assert fleet.run("apply", "-q").code == 0
    strict = "guards: {max_deletes: 0%s}\n"
    fleet.write(file_of(accounts) + strict % "", FEWER)
    for verb in ("plan", "apply"):
        stopped = fleet.run(verb, "-q", "--format", "json")
        assert (stopped.code, stopped.data["accounts"][0]["outcome"]) == (7, "refused")
    assert fleet.tags("live") == ["Gold", "VIP"]
    assert fleet.run("report", "--out", str(fleet.folder / "pages")).code == 0
    page = (fleet.folder / "pages/accounts/live.html").read_text("utf-8")
    assert "The tag Gold is deleted." in page
    line = "max_deletes=1"
    assert f"guards: {{allow: [&#34;{line}&#34;]}}" in page
    assert 'href="accounts/live.html"' in (fleet.folder / "pages/index.html").read_text("utf-8")
    fleet.write(file_of(accounts) + strict % f', allow: ["{line}"]', FEWER)
    assert fleet.run("apply", "-q").code == 0
    assert fleet.tags("live") == ["VIP"]
