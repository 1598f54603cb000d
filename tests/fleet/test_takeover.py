"""A rollout that one version of the program began: it is finished by it, or taken over by another one, explicitly."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOSClient

from reconciler.fleet.rollout_store import looked_into
from reconciler.fleet.running import foreign
from reconciler.fleet.spec import VERSION
from reconciler.model.errors import StateError
from reconciler.model.fleet import FLEET_FORMAT
from tests.fleet.conftest import Fleet, Ran, file_of
from tests.store.test_freezes import follow

OLD = """
import sys
import reconciler
reconciler.__version__ = "0.1.0"
from reconciler.cli import program
sys.exit(program.run(sys.argv[1:]))
"""
WAVES = "waves: [{name: canary, accounts: 1}, {name: rest, approve: true}]\nconcurrency: 3"
ACCOUNTS = ("acme", "beta", "core")
REFUSED = f"belongs to reconciler 0.1.0, fleet {FLEET_FORMAT}, and this is"


def old(fleet: Fleet) -> Fleet:
    """Return the same fleet as the older version of the program has it."""
    return Fleet(fleet.folder, fleet.environ, ("-c", OLD))


def now(fleet: Fleet, *words: str) -> Ran:
    """Run a command of this version, in this process."""
    ran = follow(fleet.folder, "fleet", *words)
    return Ran(ran.code, ran.out, ran.err)


def states(folder: Path) -> dict[str, bytes]:
    """Return what is on record of each account that was applied."""
    return {path.stem: path.read_bytes() for path in (folder / "state").glob("*.json")}


class TestTakeover:
    """Nobody goes on with what another version began without being told to, and nothing is done twice."""

    def test_another_version_goes_on_only_when_told_and_says_how(self, fleet: Fleet) -> None:
        """The version that began it needs no word; afterwards the one that took it over needs none."""
        fleet.write(file_of(dict.fromkeys(ACCOUNTS, ""), WAVES))
        begun = old(fleet).run("apply", "--format", "json")
        assert begun.code == 7, begun.err
        name, digest = begun.data["name"], begun.data["waves"][1]["digest"]
        canary = states(fleet.folder)
        assert len(canary) == 1
        command = f"reconciler fleet resume {name} --take-over"

        status = now(fleet, "status")
        assert status.code == 0
        assert f"{name} {REFUSED}" in status.err
        assert command in status.err
        assert command in now(fleet, "approve", name, "--wave", "rest", "--digest", digest).err
        other = Fleet(fleet.folder.with_name(f"{fleet.folder.name}-other"))
        shutil.copytree(fleet.folder, other.folder)

        refused = now(fleet, "resume")
        assert refused.code == 1
        assert REFUSED in refused.err
        assert command in refused.err
        assert states(fleet.folder) == canary
        taken = now(fleet, "resume", "--take-over", "--format", "json")
        assert (taken.code, {one["outcome"] for one in taken.data["accounts"]}) == (0, {"applied"}), taken.err
        assert {account: fleet.tags(account) for account in ACCOUNTS} == {key: ["Gold", "VIP"] for key in ACCOUNTS}
        assert {account: states(fleet.folder)[account] for account in canary} == canary
        assert now(fleet, "resume", name, "-q").code == 0

        finished = old(other).run("resume", "--format", "json")
        assert (finished.code, {one["outcome"] for one in finished.data["accounts"]}) == (0, {"applied"}), finished.err
        assert {account: other.tags(account) for account in ACCOUNTS} == {key: ["Gold", "VIP"] for key in ACCOUNTS}

    def test_a_rollout_that_a_newer_version_wrote_is_told_not_guessed(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A gate that this one does not know would not be asked; what else is on record is still read."""
        fleet.write(file_of({"acme": ""}))
        assert now(fleet, "plan", "-q").code == 0
        with looked_into(f"sqlite:///{fleet.folder}/.reconciler/fleet.db") as store:
            (spec,) = store.each(5)
            listed = DBOSClient.list_workflows

            def newer(client: DBOSClient, **how: Any) -> Any:
                rows = listed(client, **how)
                for row in rows:
                    if row.input and row.workflow_id == spec.name:
                        row.input["args"][0]["waves"][0]["max_regret"] = 3
                return rows

            monkeypatch.setattr(DBOSClient, "list_workflows", newer)
            assert list(store.each(5)) == []
            for words in (
                ["status", "--all"],
                ["status", "--accounts"],
                ["plan", "--behind", "2", "--account", "nobody"],
                ["plan", "-q"],
                ["report"],
            ):
                told = now(fleet, *words)
                assert f"Passed over: the rollout {spec.name} of {VERSION} cannot be read" in told.err, words
            assert spec.name in now(fleet, "status", "--all").out
            with pytest.raises(StateError, match=f"the rollout {spec.name} of {VERSION} cannot be read"):
                store.rollout(spec.name)
            assert foreign(store, spec.name) == ""
            store.take_over(spec.name, "reconciler 9.0.0, fleet 2.0")
            assert "belongs to reconciler 9.0.0, fleet 2.0" in foreign(store, spec.name)

    @pytest.mark.prove
    @pytest.mark.parametrize("seed", range(25))
    def test_what_an_old_version_was_killed_in_is_taken_over(self, fleet: Fleet, seed: int) -> None:
        """The old one is killed at a random moment, so is the new one; in the end each account has everything once."""
        chance = random.Random(seed)
        names = [f"a{at}" for at in range(6)]
        fleet.write(file_of(dict.fromkeys(names, ""), "waves: [{name: canary, accounts: 1}, {name: rest}]"))
        first = old(fleet).start("apply", "-q")
        time.sleep(chance.uniform(1.0, 4.0))
        first.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        first.communicate(timeout=120)
        refused = fleet.run("resume", "-q")
        if refused.code in (1, 3) and REFUSED not in refused.err:  # it was over, or nothing had been begun
            return
        assert refused.code == 1
        second = fleet.start("resume", "-q", "--take-over")
        time.sleep(chance.uniform(0.5, 4.0))
        second.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        second.communicate(timeout=120)
        last = fleet.run("resume", "-q", *([] if REFUSED not in fleet.run("status").err else ["--take-over"]))
        assert last.code == 0 or "every rollout has ended" in last.err, last.err
        assert {name: fleet.tags(name) for name in names} == {key: ["Gold", "VIP"] for key in names}
        again = fleet.run("plan", "--format", "json")
        assert {one["outcome"] for one in again.data["accounts"]} == {"same"}
