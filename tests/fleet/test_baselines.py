"""What is read once for all accounts that have the same, and what becomes of secrets and keys."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.config.reading.fleet import load_fleet
from reconciler.fleet.accounts import members
from reconciler.fleet.baselines import VAULT, Baselines, FleetSession
from reconciler.fleet.running import checked, open_fleet
from reconciler.fleet.spec import RolloutSpec
from reconciler.model.errors import Refused, StalePlan
from reconciler.model.fleet import Job
from reconciler.model.project import Guards
from reconciler.resources import load_kinds
from reconciler.store import Clock
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.session import Session
from reconciler.workflow.rules.ruling import rules_of
from tests.fleet.conftest import CONFIG, Fleet, file_of

HOOK = """\
webhooks:
  crm: {name: CRM, url: "https://crm.example/${secret.HOOK_KEY}", events: [subscribe], sources: [public]}
"""


def opened(fleet: Fleet, environ: Mapping[str, str] | None = None, **more: Any) -> tuple[Baselines, dict[str, Job]]:
    """Return the baselines of a fleet, and its jobs with their digests."""
    loaded = load_fleet(fleet.folder)
    baselines = Baselines.of(loaded, load_kinds(), Runtime(environ=environ or {}, **more))
    jobs = members(loaded, {})
    return baselines, {
        name: job.model_copy(update={"digest": baselines.referring(job).digest}) for name, job in jobs.items()
    }


def load_guards(text: str) -> Guards:
    """Return the guards that a fleet file says."""
    return Guards.model_validate(yaml.safe_load(text)["guards"])


def project(fleet: Fleet, more: str) -> None:
    """Add to the project file of the baseline."""
    with (fleet.folder / "baselines" / "crm" / "reconciler.yaml").open("a") as file:
        file.write(more)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which configurations were read."""
    read: list[str] = []
    real = Session.load

    def load(session: Session, **how: Any) -> Any:
        read.append(session.settings.name)
        return real(session, **how)

    monkeypatch.setattr(Session, "load", load)
    return read


class TestBaselines:
    """One reading for all accounts with the same baseline, variables and overlays."""

    def test_a_baseline_is_read_once_with_its_rules(self, fleet: Fleet, counted: list[str]) -> None:
        """Twelve accounts with two sets of variables are two readings; packs are read with them."""
        names = {f"a{at}": "variables: {greeting: hi}" if at % 2 else "" for at in range(12)}
        fleet.write(file_of(names))
        project(fleet, "include: [{source: 'pack:starter@1'}]\n")
        baselines, jobs = opened(fleet)
        sessions: list[FleetSession] = [baselines.session(job) for job in jobs.values()]
        for session in sessions:
            session.load()
            session.load(offline=True)  # as what connects for an apply does
        assert len(counted) == 2
        assert len({id(rules_of(session)) for session in sessions}) == 2
        assert rules_of(sessions[0]).rules

    def test_the_digest_is_of_everything_that_is_read(self, fleet: Fleet) -> None:
        """What a baseline includes, what it locks and its project file count like its own files."""
        fleet.write(file_of({"acme": ""}))
        shared = fleet.folder / "baselines" / "shared"
        shared.mkdir()
        (shared / "more.yaml").write_text("lists: {}\n")
        project(fleet, "include: [{source: ../shared}]\n")
        (fleet.folder / ".git").mkdir()
        seen = [opened(fleet)[1]["acme"].digest]
        for file, text in (
            (shared / "more.yaml", "tags: {new: {name: New}}\n"),
            (shared.parent / "crm" / "reconciler.lock", '{"version": 1, "baselines": {}}'),
            (shared.parent / "crm" / "config" / "main.yaml", CONFIG + "  blue: {name: Blue}\n"),
            (shared.parent / "crm" / "reconciler.yaml", None),
        ):
            file.write_text(text if text is not None else file.read_text() + "# more\n")
            seen.append(opened(fleet)[1]["acme"].digest)
        assert len(set(seen)) == len(seen)

    def test_a_process_that_goes_on_for_weeks_reads_what_a_new_rollout_began_with(self, fleet: Fleet) -> None:
        """A worker has read the files of before; the digest of the job says that they are others now."""
        fleet.write(file_of({"acme": ""}))
        baselines, before = opened(fleet)
        baselines.session(before["acme"])
        fleet.write(file_of({"acme": ""}), CONFIG.replace("Gold", "Golden"))
        _, now = opened(fleet)
        session = baselines.session(now["acme"])
        assert "Golden" in {one.attrs["name"] for one in session.load().desired.resources.values()}
        with pytest.raises(StalePlan):
            baselines.session(before["acme"])

    def test_a_rollout_keeps_the_guards_and_the_states_that_it_began_with(self, fleet: Fleet) -> None:
        """A worker that read an older or a newer fleet file goes by those of the rollout, as it is on record."""
        strict = "guards: {max_deletes: 2, max_records_lost: 7, max_delete_percent: 5, allow_list_deletes: true}"
        fleet.write(file_of({"acme": ""}, strict).replace("{baseline: crm}", "{baseline: crm, state: 'file:s/{name}'}"))
        began = checked(open_fleet(fleet.folder, Runtime(environ={})), members(load_fleet(fleet.folder), {}))
        spec = RolloutSpec(name="r", mode="apply", jobs=began)
        kept = RolloutSpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json")))).jobs["acme"]
        fleet.write(file_of({"acme": ""}))
        worker, now = opened(fleet)
        settings = worker.session(kept).settings
        assert (settings.guards, settings.state) == (load_guards(strict), "file:s/acme")
        assert worker.session(now["acme"]).settings.guards == Guards.model_construct()

    @pytest.mark.parametrize("sign", [{"GITHUB_EVENT_NAME": "pull_request_target"}, {"CI_MERGE_REQUEST_IID": "7"}])
    @pytest.mark.parametrize("way", ["command: ['{}', '{{name}}']", "command: ['{}']", "file: '{}'"])
    def test_a_run_about_a_request_opens_no_vault(
        self, fleet: Fleet, tmp_path: Path, sign: dict[str, str], way: str
    ) -> None:
        """The rule of single runs: only what a target branch names is followed, and none rules a fleet. What a variable
        of the process says still counts.
        """
        fleet.write(file_of({"acme": ""}), CONFIG + HOOK)
        vault = tmp_path / "vault"
        vault.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\necho HOOK_KEY=the-value\n")
        vault.chmod(0o700)
        project(fleet, f"secrets: {{{way.format(vault)}}}\n")
        baselines, jobs = opened(fleet, {"PATH": os.environ["PATH"], **sign})
        session = baselines.session(jobs["acme"])
        session.load()
        with pytest.raises(Refused, match="follows no program and no file of secrets"):
            session.secret("HOOK_KEY")
        assert not (tmp_path / "ran").exists()
        baselines, jobs = opened(fleet, {"HOOK_KEY": "of-the-process", **sign})
        assert baselines.session(jobs["acme"]).secret("HOOK_KEY") == "of-the-process"

    def test_every_account_knows_the_secrets_of_its_baseline(self, fleet: Fleet, tmp_path: Path) -> None:
        """Of files that were read for another account too, from variables of the process and from a vault, which is
        asked once for all of them and again after a while.
        """
        fleet.write(file_of({"acme": "", "beta": ""}), CONFIG + HOOK)
        asked = tmp_path / "asked"
        vault = tmp_path / "vault"
        vault.write_text(f"#!/bin/sh\necho $1 >> {asked}\necho 'the-value-of-the-vault'\n")
        vault.chmod(0o700)
        project(fleet, f"secrets: {{command: ['{vault}', '{{name}}']}}\n")
        now = [100.0]
        clock = Clock(steady=lambda: now[0])
        baselines, jobs = opened(fleet, {"PATH": os.environ["PATH"]}, clock=clock)
        for name in ("acme", "beta"):
            session = baselines.session(jobs[name])
            session.load()
            assert session.used_secrets == {"HOOK_KEY"}
            assert session.secret("HOOK_KEY") == "the-value-of-the-vault"
            assert "the-value" not in session.redactor.show("it says the-value-of-the-vault")
        assert asked.read_text().split() == ["HOOK_KEY"]
        now[0] += VAULT + 1
        assert baselines.session(jobs["acme"]).secret("HOOK_KEY") == "the-value-of-the-vault"
        assert asked.read_text().split() == ["HOOK_KEY"] * 2

        baselines, jobs = opened(fleet, {"HOOK_KEY": "of-the-process"})
        for name in ("acme", "beta"):
            session = baselines.session(jobs[name])
            session.load()
            assert "of-the-process" not in session.redactor.show("of-the-process")

    def test_a_state_is_encrypted_for_whom_the_baseline_says(self, fleet: Fleet) -> None:
        """As in a single run."""
        fleet.write(file_of({"acme": ""}))
        key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
        project(fleet, f"encryption: {{recipients: ['{key}']}}\n")
        baselines, jobs = opened(fleet)
        assert baselines.session(jobs["acme"]).settings.recipients == (key,)
