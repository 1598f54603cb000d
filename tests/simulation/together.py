"""Histories of two or three processes at once: each with clocks of its own, frozen, killed, and robbed of its lock."""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.model.waits import Waits
from tests.simulation.alone import EXPECTED, Alone, Verdict
from tests.simulation.history import Fate, Ran, World, new_world
from tests.simulation.ledger import KINDS
from tests.simulation.wire import Sent

LIES = (0.0, 0.0, 90.0, -90.0, 600.0, -600.0, 86_400.0)
"""Seconds by which the wall clock of a process is wrong."""
FREEZES = ((1.0, 20.0), (40.0, 90.0), (62.0, 64.0), (100.0, 400.0))
"""How long a frozen process stays frozen: less than a lease, about one, and more."""


class Together(Alone):
    """Drives one history of several processes and judges it as a whole."""

    expected = (1, *EXPECTED)
    """A process that lost its lock, or found that the state moved on, says so and ends with 1."""

    def go(self, steps: int) -> None:
        """Let one configuration be applied, then several processes do what they like, then everything settle."""
        world = self.world
        self.writers: list[str] = []
        world.on_hand_over = self.handed_over
        world.on_state = self.state_written
        world.declare(world.declaring.small())
        if self.chance.random() < 0.4:
            self.command("apply", "--auto-approve")
            for _ in range(self.chance.randint(1, 2)):
                world.declare(world.declaring.change(world.config))
        world.busy = self.chance.choice([0.0, 0.0, 0.02])
        ran = []
        for number in range(steps):
            ran.append(self.one(number))
            world.scheduler.pass_time(self.chance.choice([0.0, self.chance.uniform(0, 5), self.chance.uniform(0, 150)]))
        for _ in range(3):
            world.scheduler.pass_time(self.chance.uniform(1, 60))
            ended = ran[-1]
            if ended.process.over and ended.code != 0 and self.chance.random() < 0.6:
                ran.append(self.begin(*ended.argv))  # somebody tries again
        world.scheduler.join(*[one.process for one in ran])
        world.busy = 0.0
        world.scheduler.pass_time(60.0)
        world.learn()
        for one in ran:
            one.losses = [loss for loss in world.ledger.losses if loss.sent.process is one.process]
            self.judge_alone(one)
        self.settle()
        self.bound()

    def one(self, number: int) -> Ran:
        """Start one more process, and draw its fate."""
        world, chance = self.world, self.chance
        patience = ["--lock-timeout", str(chance.choice([0, 30, 200, 200, 1000]))]
        what = chance.choices(["apply", "plan", "undo", "break"], [8, 1, 1, 2 if number else 0])[0]
        argv = ["apply", "--auto-approve", *patience]
        if what == "plan":
            argv = ["plan"]
        elif what == "undo":
            argv = ["undo", "--auto-approve", *patience]
        elif what == "break":
            _, holder = world.holder()
            if holder:
                ran = self.begin("lock", "break", holder, "--auto-approve")
                world.scheduler.join(ran.process)
        ran = self.begin(*argv)
        if chance.random() < 0.3:
            when, seconds = world.scheduler.now + chance.uniform(0, 15), chance.uniform(*chance.choice(FREEZES))
            world.scheduler.event(when, lambda: self.freeze(ran, seconds))
        if chance.random() < 0.2:
            when, lie = world.scheduler.now + chance.uniform(0, 15), chance.choice(LIES)
            world.scheduler.event(when, lambda: self.jump(ran, lie))
        return ran

    def begin(self, *argv: str) -> Ran:
        """Start a command with a fate and a wall clock of its own."""
        drawn, fate = self.chance.random(), Fate()
        if drawn < 0.35:
            fate = Fate(freeze=self.chance.randint(1, 30), seconds=self.chance.uniform(*self.chance.choice(FREEZES)))
        elif drawn < 0.5:
            fate = Fate(kill=self.chance.randint(1, 30))
        wall = self.chance.choice(LIES)
        self.world.tell(f"p{len(self.world.runs) + 1} starts, its wall clock off by {wall:.0f} s: {' '.join(argv)}")
        return self.world.start(*argv, fate=fate, wall=wall, machine=self.chance.randint(1, 2))

    def freeze(self, ran: Ran, seconds: float) -> None:
        """Freeze a process wherever it is."""
        if not ran.process.over:
            self.world.tell(f"{ran.process.name} freezes for {seconds:.0f} s")
            ran.process.freeze(seconds)

    def jump(self, ran: Ran, lie: float) -> None:
        """Set the wall clock of a process."""
        self.world.tell(f"the wall clock of {ran.process.name} jumps to {lie:.0f} s off")
        ran.process.wall = lie

    # --- rules -----------------------------------------------------------------------------------------------------

    def judge_alone(self, ran: Ran) -> None:
        """Judge what a process among others can be judged by."""
        self.judge(ran, (), ran.text)

    def handed_over(self, sent: Sent) -> None:
        """Look who holds the lock when a write is handed over to the network. Who was robbed of it may go on for as
        long as a holder does not look (decisions 0135 and 0136), but never once somebody else has begun to write.
        """
        holder, mine = self.world.holder()[0], sent.process.name
        since = sent.process.scheduler.now - self.world.lost.get(mine, float("-inf"))
        if holder != mine and since > Waits().look:
            self.found("no write after a lost lease", f"{sent} while the lock is {holder or 'nobody'}'s")
        if mine in self.writers[:-1]:
            self.found("one writer at a time", f"{sent} after {self.writers[-1]} has begun to write")
        elif mine not in self.writers:
            self.writers.append(mine)

    def state_written(self, before: bytes | None, after: bytes) -> None:
        """Look that a version of the state follows the one before it."""
        old, new = json.loads(before or b"{}"), json.loads(after)
        if before is None:
            return
        same = {**old, "fence": 0} == {**new, "fence": 0}
        if not same and new["serial"] != old.get("serial", 0) + 1:
            self.found("no lost update", f"serial {new['serial']} was written over {old.get('serial')}")

    def bound(self) -> None:
        """Look that everything that the program made is known to the state once all is settled."""
        world = self.world
        known = {(one["kind"], str(one["id"])) for one in world.state().values()}
        names = world.ledger.objects()
        for (table, identity), sent in world.ledger.made.items():
            kind = KINDS.get(table)
            renamed = names.get((table, identity), "").endswith("by hand")  # nobody can tell any more whose it is
            if kind is not None and (table, identity) in names and (kind, identity) not in known and not renamed:
                self.found("no lost update", f"{table}/{identity} {names[table, identity]!r} of {sent} is in no state")
        if twins := world.ledger.twins():
            self.found("no twins", ", ".join(map(str, twins)))

    def found(self, rule: str, what: str) -> None:
        """Note that a rule is broken."""
        self.world.tell(f"BROKEN: {rule}: {what}")
        self.verdict.broken.append((rule, what))


class Crowd(Together):
    """The same, with other commands that write state or files among them. None that forgets what is managed: then
    nobody could tell a lost update from a wish.
    """

    def one(self, number: int) -> Ran:
        """Start one more process, often of another command."""
        if number == 0 or self.chance.random() < 0.5:
            return super().one(number)
        known = sorted(self.world.state()) or ["tag.a"]
        some = self.chance.choice(known)
        patience = ("--lock-timeout", "200")
        return self.begin(
            *self.chance.choice(
                [
                    ("export",),
                    ("export", "--prune"),
                    ("drift", "--absorb"),
                    ("drift", "--absorb", "--unmanaged"),
                    ("runs", "resume", "--auto-approve", *patience),
                    ("state", "mv", some, f"{some.partition('.')[0]}.k9"),
                    ("import", some, "1", "--auto-approve"),
                    ("destroy", "--auto-approve", "--target", some, *patience),
                    ("plan", "--out", "p.json"),
                    ("apply", "p.json", *patience),
                ]
            )
        )


def crowd(seed: int) -> Verdict:
    """Run the history of several processes of several commands of a seed."""
    return history(seed, Crowd)


def history(seed: int, drive: Callable[[World, Verdict], Alone] = Together) -> Verdict:
    """Run the history of several processes of a seed."""
    verdict = Verdict(seed)
    with new_world(seed, served=0.2) as world:
        try:
            drive(world, verdict).go(world.chance.choice([2, 2, 3]))
        finally:
            verdict.story = [*world.story, "", *world.net.log]
        verdict.count(world)
    return verdict
