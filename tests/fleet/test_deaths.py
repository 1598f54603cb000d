"""What a fleet survives beside the death of its own process: its database is stopped and started, or its machine is
frozen for longer than its leases last and woken when another one has gone on. After `resume` each account is as
declared, nothing is there twice, and no job is lost.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from reconciler.fleet.rollout_store import looked_into
from reconciler.model.errors import StateError
from tests.fleet.conftest import Fleet, file_of
from tests.store.servers import Postgres, postgresql_server
from tests.store.test_crash_matrix import served
from tests.store.test_freezes import PROGRAM, follow

ENDS = 90.0
"""Seconds in which a command ends that has nothing left to do."""
ACCOUNTS = 4
Hurt = Callable[[Fleet, Postgres, str, random.Random], None]
"""Does something to a rollout that was begun on this database."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server that can be stopped and started."""
    with postgresql_server() as found:
        yield found


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Emulated accounts, one below each name."""
    with served(tmp_path_factory.mktemp("emulator")) as url:
        yield url


def tags(url: str, account: str) -> list[str]:
    """Return the names of the tags of an account, each as often as it is there."""
    request = urllib.request.Request(
        f"{url}/acct/{account}/api/3/tags?limit=100", headers={"Api-Token": "emulator-token"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return sorted(row["tag"] for row in json.load(answer)["tags"])


def under_way(database: str, process: subprocess.Popen[str]) -> None:
    """Return once accounts are worked on, or the command has ended."""
    deadline = time.monotonic() + ENDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with looked_into(database) as store:
                if any(any(store.tally(spec.name).values()) for spec in store.each(1)):
                    return
        except StateError:
            pass
        time.sleep(0.05)


def ended(process: subprocess.Popen[str], seconds: float = ENDS) -> None:
    """Wait for a command, and kill one that does not end."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def database_away(fleet: Fleet, server: Postgres, database: str, chance: random.Random) -> None:
    """Stop PostgreSQL in order or as in a crash, and start it some time later."""
    process = fleet.start("apply", "-q", "--database", database)
    try:
        under_way(database, process)
        time.sleep(chance.uniform(0.0, 2.0))
        server.stop(chance.choice([signal.SIGINT, signal.SIGQUIT]))
        time.sleep(chance.uniform(0.0, 3.0))
        server.start()
    finally:
        ended(process, chance.choice([ENDS, 2.0]))


def frozen(fleet: Fleet, server: Postgres, database: str, chance: random.Random) -> None:
    """Freeze a process, let another one go on with the rollout, and wake the first one before or after that is over."""
    process = fleet.start("apply", "-q", "--database", database)
    try:
        under_way(database, process)
        time.sleep(chance.uniform(0.0, 1.5))
        process.send_signal(signal.SIGSTOP)
        ended(fleet.start("resume", "-q", "--database", database), chance.choice([ENDS, 4.0]))
    finally:
        process.send_signal(signal.SIGCONT)
        ended(process)


def differs(fleet: Fleet, server: Postgres, accounts: str, hurt: Hurt, seed: int) -> list[str]:
    """Return what is not as it should be after all that, and one `resume`."""
    chance = random.Random(seed)
    names = [f"{hurt.__name__.replace('_', '-')}-{seed}-{at}" for at in range(ACCOUNTS)]
    text = file_of({name: f"wave: {'canary' if not at else 'rest'}" for at, name in enumerate(names)}, WAVES)
    for name in names:
        text = text.replace(f"emulator:accounts/{name}.json", f"{accounts}/acct/{name}/api/3")
    fleet.write(text.replace("defaults: {", "defaults: {token: '${env.TOKEN}', requests_per_second: 50, "))
    fleet.environ["TOKEN"] = "emulator-token"
    fleet.program = ("-c", PROGRAM, "0")
    database = server.database(f"{hurt.__name__}_{seed}")
    hurt(fleet, server, database, chance)
    last = fleet.run("resume", "--format", "json", "--database", database)
    if "every rollout has ended" in last.err:
        last = fleet.run("status", "--format", "json", "--database", database)
    if last.code != 0:
        return [last.err or last.out]
    wrong = [f"{one['account']}: {one['outcome']}" for one in last.data["accounts"] if one["outcome"] not in OVER]
    wrong += [f"{name} is left" for name in last.data["pending"]]
    again = fleet.run("plan", "--format", "json", "--database", database)
    wrong += [f"{one['account']}: {one['outcome']} again" for one in again.data["accounts"] if one["outcome"] != "same"]
    return wrong + [f"{name} holds {held}" for name in names if (held := tags(accounts, name)) != ["Gold", "VIP"]]


WAVES = "waves: [{name: canary, accounts: 0}, {name: rest}]\nconcurrency: 3"
OVER = ("applied", "same")


class TestDeaths:
    """One schedule in every run, 25 of each kind in the long one; `tests/store/test_freezes.py` freezes single runs."""

    def test_after_a_database_was_away_every_account_converged_once(
        self, fleet: Fleet, server: Postgres, accounts: str
    ) -> None:
        """After a database was away every account converged once."""
        assert differs(fleet, server, accounts, database_away, 1) == []

    def test_a_database_in_which_nothing_was_begun_has_nothing_on_record(self, fleet: Fleet, server: Postgres) -> None:
        """For every command that looks into it, as one without a rollout: who asks for accounts that are behind gets
        all of them.
        """
        fleet.write(file_of({"acme": ""}))
        empty = server.database("empty")
        for words in (
            ["status"],
            ["report"],
            ["resume"],
            ["cancel", "x"],
            ["approve", "x", "--wave", "w", "--digest", "0"],
        ):
            ran = follow(fleet.folder, "fleet", *words, "--database", empty)
            assert (ran.code, ran.err.startswith("error: there is no rollout yet")) == (3, True), ran.err
        for kept in (empty, "sqlite:///new.db"):
            assert follow(fleet.folder, "fleet", "apply", "--failed", "--database", kept).code == 3
            listed = follow(fleet.folder, "fleet", "status", "--accounts", "--format", "json", "--database", kept)
            assert [(one["account"], one["has"]) for one in json.loads(listed.out)] == [("acme", "")]
            ran = follow(fleet.folder, "fleet", "plan", "-q", "--behind", "0.1", "--database", kept)
            assert (ran.code, "all of them count as behind" in ran.err) == (0, True), ran.text
            assert "1 account: 1 with changes" in ran.out
        away = follow(fleet.folder, "fleet", "status", "--accounts", "--database", server.database("none") + "-not")
        assert (away.code, "cannot be read" in away.err) == (1, True), "what accounts have is not known"

    @pytest.mark.prove
    @pytest.mark.parametrize("seed", range(2, 27))
    @pytest.mark.parametrize("hurt", [database_away, frozen])
    def test_fifty_schedules(self, fleet: Fleet, server: Postgres, accounts: str, hurt: Hurt, seed: int) -> None:
        """Fifty schedules."""
        assert differs(fleet, server, accounts, hurt, seed) == []
