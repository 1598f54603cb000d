"""Histories of one process at a time: plan, wait, edit, apply, undo, destroy, kill and retry in any order."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.emulator.families.pipelines import DEFAULT_STAGES
from tests.simulation.history import Fate, Ran, Side, World, new_world
from tests.simulation.ledger import KINDS, Loss, Removed, Twins

YES = re.compile(r"--allow (\S+)")
UNLIMITED = ("max_deletes", "max_delete_percent", "suspected_rename", "empty_configuration", "prevent_destroy")
"""Guards whose yes is no yes to a loss of records."""
STEPS = ("edit", "plan", "file", "apply", "undo", "destroy", "wait", "event", "yes", "retry")
USUAL = (8, 5, 3, 5, 2, 1, 1, 4, 3, 2)
FOLLOWING = {
    "edit": (3, 8, 0, 4, 0, 0, 1, 1, 0, 0),
    "plan": (0, 0, 8, 0, 0, 0, 1, 8, 2, 0),
    "event": (2, 2, 5, 3, 1, 1, 1, 3, 1, 1),
}
"""How likely each step is, and how likely after another: plans are followed by records and by their apply."""
EXPECTED = (0, 2, 3, 4, 5, 6, 7, 8, 130)


@dataclass
class Verdict:
    """What a history showed: broken rules, each with what broke it, and how much happened."""

    seed: int
    broken: list[tuple[str, str]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    runs: int = 0
    killed: int = 0
    frozen: int = 0
    arrivals: int = 0
    requests: int = 0

    def count(self, world: World) -> None:
        """Take over how much happened in a world."""
        self.runs, self.arrivals, self.requests = len(world.runs), world.arrivals, len(world.net.log)
        self.killed = sum(one.killed for one in world.runs)
        self.frozen = sum(" freezes for " in line for line in world.story)

    def of(self, *rules: str) -> list[str]:
        """Return what broke one of these rules."""
        return [f"{rule}: {what}" for rule, what in self.broken if rule in rules]


@dataclass
class Saved:
    """A plan in a file: what it says, and whether its maker said yes to a loss."""

    path: Path
    text: str
    allowed: tuple[str, ...]
    environment: tuple[str, ...] = ()
    """Words that name the environment that it is for, where that is not the first."""


class Alone:
    """Drives one history and judges every command in it."""

    expected: tuple[int, ...] = EXPECTED

    def __init__(self, world: World, verdict: Verdict) -> None:
        self.world, self.verdict = world, verdict
        self.chance = world.chance
        self.saved: list[Saved] = []
        self.last: Ran | None = None
        self.number = 0
        self.before = ""

    def go(self, steps: int) -> None:
        """Let a first configuration be applied, then anything happen, then everything settle."""
        world = self.world
        world.declare(world.declaring.config())
        self.command("apply", "--auto-approve", fate=self.fate())
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            world.record()
        for _ in range(steps):
            world.busy = self.chance.choice([0.0, 0.0, 0.02, 0.1])
            self.step()
        world.busy = 0.0
        self.settle()

    def fate(self) -> Fate:
        """Draw what becomes of the next command."""
        drawn = self.chance.random()
        if drawn < 0.25:
            return Fate(kill=self.chance.randint(1, 60))
        if drawn < 0.3:
            return Fate(interrupt=self.chance.randint(1, 60))
        return Fate()

    def step(self) -> None:
        """Let one thing happen."""
        what = self.chance.choices(STEPS, FOLLOWING.get(self.before, USUAL))[0]
        self.before = what
        steps: dict[str, Callable[[], object]] = {
            "edit": self.edit,
            "plan": self.plan,
            "file": self.apply_saved,
            "apply": lambda: self.command("apply", "--auto-approve", fate=self.fate()),
            "undo": lambda: self.command("undo", "--auto-approve", fate=self.fate()),
            "destroy": self.destroy,
            "wait": lambda: self.world.scheduler.pass_time(self.chance.uniform(1, 100_000)),
            "event": self.world.something,
            "yes": self.say_yes,
            "retry": self.retry,
        }
        steps[what]()

    def edit(self) -> None:
        """Let somebody edit the configuration."""
        for _ in range(self.chance.randint(1, 3)):
            self.world.declare(self.world.declaring.change(self.world.config))
        self.world.tell("somebody edits the configuration")

    def apply_saved(self) -> None:
        """Apply a plan of before."""
        if self.saved:
            saved = self.chance.choice(self.saved[-2:])
            strict = ["--strict"] if self.chance.random() < 0.2 else []
            self.command("apply", str(saved.path), *strict, *saved.environment, fate=self.fate(), saved=saved)

    def destroy(self) -> None:
        """Destroy everything, or one object."""
        addresses = sorted({one for known in self.world.known.values() for one in known})
        some = ["--target", self.chance.choice(addresses)] if addresses and self.chance.random() < 0.6 else []
        self.command("destroy", "--auto-approve", *some, fate=self.fate())

    def say_yes(self) -> None:
        """Say yes to what the last command refused."""
        if self.last is not None and self.last.code == 7 and "--auto-approve" in self.last.argv:
            said = [word for one in YES.findall(self.last.text) for word in ("--allow", one)]
            self.command(*self.last.argv, *said, fate=self.fate())

    def retry(self) -> None:
        """Run the last command once more."""
        if self.last is not None and self.last.argv[0] != "plan":
            self.command(*self.last.argv, saved=self._saved_of(self.last))

    def _saved_of(self, ran: Ran) -> Saved | None:
        return next((one for one in self.saved if str(one.path) in ran.argv), None)

    def plan(self, *more: str) -> None:
        """Save a plan, sometimes with a yes to what it says it would lose."""
        self.number += 1
        path = Path(f"plan{self.number}.json")  # the world's folder is the current one
        ran = self.command("plan", "--out", str(path), *more)
        if ran.code in (0, 2) and path.exists():
            self.saved.append(Saved(path, ran.text + path.read_text(), _allowed(ran.argv)))
        elif ran.code == 7 and not more and self.chance.random() < 0.5:
            self.plan(*[word for one in YES.findall(ran.text) for word in ("--allow", one)])

    def command(self, *argv: str, fate: Fate | None = None, saved: Saved | None = None) -> Ran:
        """Run a command and judge it."""
        ran = self.world.run(*argv, fate=fate)
        self.last = ran
        self.judge(ran, _allowed(argv) + (saved.allowed if saved else ()), saved.text if saved else ran.text)
        return ran

    def judge(self, ran: Ran, allowed: tuple[str, ...], said: str) -> None:
        """Write down every rule that a command broke."""
        if (not ran.killed and ran.code not in self.expected) or "mistake in the program" in ran.text:
            self.broke("expected exit code", ran, ran.text[-1500:])
        self.judge_books(ran, allowed, said, self.world.sides["account.example"])

    def judge_books(self, ran: Ran, allowed: tuple[str, ...], said: str, side: Side) -> None:
        """Write down what a command broke in one account."""
        records, things = side.ledger.records(), side.ledger.present()
        ran.losses = [one for one in ran.losses if records.get(one.record) != one.place]  # the others are back
        ran.removed = [one for one in ran.removed if (one.table, one.home, one.name) not in things]
        yes = [one for one in allowed if not one.startswith(UNLIMITED)]
        lost = [one for one in ran.losses if one.now is None and one.countable]
        moved = [one for one in ran.losses if one.now is not None and one.countable]
        moved = [one for one in moved if one.now is not None and not self.evacuated(one.now, side)]
        if lost and not yes:
            self.broke("no record lost without a yes", ran, "; ".join(map(str, lost[:3])))
        if moved and not yes:
            self.broke("no record moved without a yes", ran, "; ".join(map(str, moved[:3])))
        lost = _direct(lost)
        bound = [int(one.partition("=")[2]) for one in yes if re.fullmatch(r"max_records_lost=\d+", one)]
        if bound and len(lost) > max(bound) and yes == [one for one in yes if one.startswith("max_records_lost=")]:
            self.broke("a yes is a yes to a number", ran, f"{len(lost)} lost, {max(bound)} allowed: {lost[0]}")
        gone = {f"{one.table}/{one.id}" for one in ran.removed if self.named(one, said, side)}
        for one in ran.removed:
            if f"{one.table}/{one.id}" not in gone and one.home not in gone and one.name not in DEFAULT_STAGES:
                added = self.world.added.get(one.id) if one.table == "dealStages" else None
                if added is None or side.ledger.avoidable(one, added):
                    rule = "nothing goes that is not named" if added is None else "what is added meanwhile stays"
                    self.broke(rule, ran, str(one))
        if (
            ran.code == 0
            and ran.argv[0] != "plan"
            and (twins := [one for one in side.ledger.twins() if not self.told(*one)])
        ):
            self.broke("no twins", ran, _words(twins))

    def told(self, table: str, name: str, ids: list[str]) -> bool:
        """Return whether somebody asked for objects of one name."""
        return False

    def named(self, one: Removed, said: str, side: Side) -> bool:
        """Return whether a plan names an object, by its name or by an address that it had or was declared under."""
        addresses = side.known.get((KINDS.get(one.table, ""), one.id), set())
        addresses = addresses | self.world.declared.get(one.name, set())
        return one.name in said or any(address in said for address in addresses)

    def evacuated(self, now: tuple[tuple[str, str], ...], side: Side) -> bool:
        """Return whether a deal is where `on_destroy` once said that the deals of some stage go."""
        stage = side.account.rows.get(*now[0]) if now and now[0][0] == "dealStages" else None
        if stage is None:
            return False
        addresses = side.known.get(("stage", str(stage["id"])), set())
        return any(stage["title"] == to for _, to in self.world.refuges) or bool(addresses & self.world.havens)

    def broke(self, rule: str, ran: Ran, what: str) -> None:
        """Note that a rule is broken."""
        self.world.tell(f"BROKEN: {rule}: {what}")
        self.verdict.broken.append((rule, f"{ran}: {what}"))

    def settle(self) -> None:
        """Apply without trouble, saying yes to everything, until the plan is empty."""
        world = self.world
        world.net.weather = type(world.net.weather)()
        ran = self.command("apply", "--auto-approve", "--lock-timeout", "1000")
        for _ in range(4):
            if ran.code == 0:
                break
            _, holder = world.holder()
            if ran.code == 8 and holder:  # a lock that its server keeps for a dead process
                self.command("lock", "break", holder, "--auto-approve")
            said = [word for one in YES.findall(ran.text) for word in ("--allow", one)]
            ran = self.command("apply", "--auto-approve", "--lock-timeout", "1000", *said)
        if ran.code == 5 and "holds deals" in " ".join(ran.text.split()):
            return  # a stage of the server's own that has got deals is left alone
        if ran.code != 0:
            self.broke("settles", ran, ran.text[-1500:])
            return
        after = self.command("plan", "--detailed-exitcode")
        if after.code != 0 and "0 to add, 0 to change, 0 to destroy" not in after.text:  # what is left is by hand
            self.broke("the plan after an apply is empty", after, after.text[-1500:])


def _words(twins: list[Twins]) -> str:
    return "; ".join(f"{table} {name!r} exists {len(ids)} times: {ids}" for table, name, ids in twins)


def _direct(lost: list[Loss]) -> list[Loss]:
    """Return the losses as a plan counts them: each record once, and of a list its members."""
    gone = {one.record for one in lost}
    return [
        one
        for one in lost
        if not (one.record[0] == "choice" and ("fieldValues", one.record[1]) in gone)
        and not one.record[0].startswith("value of")
        and (not one.sent.url.startswith("/lists/") or one.record[0] == "contactLists")
    ]


def _allowed(argv: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(after for word, after in itertools.pairwise(argv) if word == "--allow")


def history(seed: int) -> Verdict:
    """Run the history of a seed."""
    verdict = Verdict(seed)
    with new_world(seed) as world:
        try:
            Alone(world, verdict).go(world.chance.randint(6, 16))
        finally:
            verdict.story = [*world.story, "", *world.net.log]
        verdict.count(world)
    return verdict
