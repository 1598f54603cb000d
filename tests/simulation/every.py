"""Histories in which every command that writes takes its turn, over every kind, in a project of two accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.fleet import COMMANDS as FLEET
from tests.simulation.alone import Alone, Saved, Verdict
from tests.simulation.declaring import KEYS, SECTIONS
from tests.simulation.history import Fate, Ran, World, new_world
from tests.simulation.ledger import KINDS
from tests.simulation.wire import Sent

Words = tuple[str, ...]
OWN = ("plan", "apply", "destroy", "undo")
"""Commands that `Alone` runs itself."""
LOOKS: dict[str, Callable[[Every], Words]] = {
    "validate": lambda it: (),
    "show": lambda it: (str(it.chance.choice(it.saved).path),),
    "compare": lambda it: it.some_order("test", "other"),
    "drift": lambda it: (),
    "explain": lambda it: (it.address(),),
    "graph": lambda it: (),
    "ids": lambda it: ("--lang", it.chance.choice(["python", "go", "json"]), *it.some("--partial", "--offline")),
    "coverage": lambda it: (),
    "handbook": lambda it: ("--out", "handbook"),
    "doctor": lambda it: (),
    "snapshot": lambda it: ("--out", "a.snap.gz"),
    "rehearse": lambda it: (),
    "state doctor": lambda it: (),
    "state history": lambda it: (),
    "state list": lambda it: (),
    "state show": lambda it: (it.address(),),
    "state pull": lambda it: (),
    "runs list": lambda it: (),
    "runs show": lambda it: (),
    "lock list": lambda it: (),
}
"""Commands that are said to change nothing, neither account nor state nor files: each time it is looked whether so."""
WRITES: dict[str, Callable[[Every], Words]] = {
    "export": lambda it: it.some("--prune", "--kinds=tag,list,pipeline,stage"),
    "import": lambda it: (*it.pair(), "--auto-approve"),
    "state import": lambda it: (*it.pair(), "--auto-approve"),
    "clone": lambda it: (*it.ways(), *it.some("--prune"), "--auto-approve"),
    "promote": lambda it: (*it.ways(), *it.some("--prune", "--overrule")),
    "drift --absorb": lambda it: it.some("--unmanaged"),
    "drift --revert": lambda it: ("--out", it.plan_file()),
    "clone --out": lambda it: (it.plan_file(), *it.ways(), *it.some("--prune")),
    "fmt": lambda it: (),
    "runs resume": lambda it: ("--auto-approve",),
    "state mv": lambda it: it.renaming(),
    "state rm": lambda it: (it.address(),),
    "state push": lambda it: (it.pulled(), *it.some("--force")),
    "state restore": lambda it: (str(max(1, it.serial() - it.chance.randint(0, 4))),),
    "state migrate": lambda it: ("--to", f"file:elsewhere/{it.number}.json"),
    "state rekey": lambda it: (),
    "lock break": lambda it: (it.world.holder()[1] or "nobody", "--auto-approve"),
}
"""Commands that write files, state or account."""
ELSEWHERE = {
    "init", "test", "kinds", "schema", "version", "completion", "help", "policy test", "replay", "probe",
    "update",
    *(f"ci {one}" for one in ("approve", "approved", "body", "comment", "drift", "fetch", "guard")),
    *(f"fleet {one}" for one in FLEET),
    *(f"emulator {one}" for one in ("behave", "reset", "seed", "serve")),
}  # fmt: skip
"""Commands that know neither account nor state nor files of a project: they make a new one, talk to a code host, or to
an emulator; `ci drift` asks as `drift` does, and a probe has suites of its own (`tests/probe`).
"""
TO_ACCOUNTS = ("apply", "destroy", "undo", "clone", "runs")
"""First words of the commands that may write to an account; no other does."""
TABLES = {kind: table for table, kind in KINDS.items()}


class Every(Alone):
    """Drives one history in which one command and one kind, by turns, are sure to come."""

    expected = (*Alone.expected, 1)
    """`state doctor` ends with 1 where it has found something, and so does a state that is refused."""

    def __init__(self, world: World, verdict: Verdict, turn: int) -> None:
        super().__init__(world, verdict)
        self.turn = turn
        self.written: dict[str, int] = {}
        world.on_hand_over = self.handed_over

    def go(self, steps: int) -> None:
        """See that the kind whose turn it is is declared, then let anything happen."""
        section = sorted(SECTIONS)[self.turn % len(SECTIONS)]
        drawn = self.world.declaring.config
        self.world.declaring.config = lambda: self.with_section(drawn(), section)  # type: ignore[method-assign]
        super().go(steps)

    def with_section(self, config: dict[str, Any], section: str) -> dict[str, Any]:
        """Return a configuration with an entry in a section."""
        config.setdefault(section, {}).setdefault(KEYS[0], SECTIONS[section](self.world.declaring, config))
        return config

    def handed_over(self, sent: Sent) -> None:
        """Count the writes of each process."""
        self.written[sent.process.name] = self.written.get(sent.process.name, 0) + 1

    def step(self) -> None:
        """Let one thing happen: what one process does alone, or another command."""
        drawn = self.chance.random()
        if self.turn >= 0:
            turn, self.turn = self.turn, -1
            commands = [*WRITES, *LOOKS]
            self.other(commands[turn % len(commands)])
        elif drawn < 0.45:
            self.other(self.chance.choice([*WRITES]))
        elif drawn < 0.55:
            self.other(self.chance.choice([*LOOKS]))
        else:
            super().step()

    def other(self, words: str) -> None:
        """Run one of the other commands with arguments that fit."""
        table = LOOKS if words in LOOKS else WRITES
        try:
            more = table[words](self)
        except IndexError:
            return  # nothing is there that it could be about
        before = self.facts() if words in LOOKS else {}
        quiet, self.world.busy = self.world.busy, 0.0 if words in LOOKS else self.world.busy
        ran = self.command(*words.split(), *more, fate=self.fate() if words in WRITES else None)
        self.world.busy = quiet
        if words in LOOKS and (now := self.facts()) != before:
            changed = [name for name in {*before, *now} if before.get(name) != now.get(name)]
            self.broke("a look changes nothing", ran, ", ".join(sorted(changed)))
        if "--out" in ran.argv and ran.code in (0, 2) and ran.argv[0] in ("clone", "drift"):
            path = Path(ran.argv[ran.argv.index("--out") + 1])
            if path.exists():
                to = ran.argv[ran.argv.index("--to") + 1] if "--to" in ran.argv else "test"
                self.saved.append(Saved(path, ran.text + path.read_text(), (), ("-e", to)))

    def command(self, *argv: str, fate: Fate | None = None, saved: Saved | None = None) -> Ran:
        """Run a command, judge it, and take over what it wrote into the files."""
        ran = super().command(*argv, fate=fate, saved=saved)
        count = self.written.get(ran.process.name, 0)
        if count and argv[0] not in TO_ACCOUNTS:
            self.broke("only some commands write to an account", ran, f"{count} writes")
        self.take_over()
        return ran

    def judge(self, ran: Ran, allowed: Words, said: str) -> None:
        """Judge what became of both accounts."""
        super().judge(ran, allowed, said)
        other = self.world.sides["other.example"]
        ran.losses = [one for one in other.ledger.losses if one.sent.process is ran.process]
        ran.removed = [one for one in other.ledger.removed if one.sent.process is ran.process]
        self.judge_books(ran, allowed, said, other)

    def told(self, table: str, name: str, ids: list[str]) -> bool:
        """Return whether a plan said that an object gets its name beside another one: a state that somebody has edited
        by hand, or an import, lets go of the one that had it. A name that holds a secret is shown by its id, masked.
        """
        masked = rf"{KINDS.get(table, table)} (?:{'|'.join(ids)}) \(`[^`]*\*\*\*[^`]*`\)"
        beside = re.compile(rf"beside (?:\w+ \S+ \(`{re.escape(name)}`\)|{masked})")
        return any(beside.search(" ".join(ran.text.split())) for ran in self.world.runs)

    def take_over(self) -> None:
        """Let the files be one again after a command has written some, so that somebody can edit them."""
        folder = self.world.folder / "config"
        texts = {path: path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}
        if list(texts.values()) == [self.world.text]:
            return
        merged: dict[str, Any] = {}
        for text in texts.values():
            for section, entries in (yaml.safe_load(text) or {}).items():
                if isinstance(entries, dict):
                    merged.setdefault(section, {}).update(entries)
                else:
                    merged[section] = [*merged.get(section, []), *entries]
        for path in texts:
            path.unlink()
        self.world.declare({section: entries for section, entries in merged.items() if entries})

    # --- what commands are about -----------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """Return all that a look must not change."""
        disk = self.world.disk
        files = {str(path): path.read_text("utf-8") for path in sorted((self.world.folder / "config").rglob("*"))}
        state = {name: text for name, text in disk.documents.items() if name != "lock"} | {
            name: b"".join(lines) for name, lines in disk.logs.items()
        }
        accounts = {name: json.dumps(side.account.rows.dump()) for name, side in self.world.sides.items()}
        return {**files, **state, **accounts}

    def some(self, *options: str) -> Words:
        """Choose some options."""
        return tuple(one for one in options if self.chance.random() < 0.5)

    def some_order(self, *words: str) -> Words:
        """Return these in any order."""
        return tuple(self.chance.sample(words, len(words)))

    def ways(self) -> Words:
        """Choose from where to where."""
        one, other = self.chance.choice([("test", "other"), ("test", "other"), ("other", "test")])
        return ("--from", one, "--to", other)

    def address(self) -> str:
        """Choose an address that the state knows."""
        return self.chance.choice(sorted(self.world.state()))

    def pair(self) -> Words:
        """Choose a declared address, and the id of an object of its kind."""
        address = self.chance.choice(sorted({one for entries in self.world.declared.values() for one in entries}))
        rows = self.world.account.rows.all(TABLES.get(address.partition(".")[0], "tags"))
        return (address, str(self.chance.choice(rows).get("id", "1")))

    def renaming(self) -> Words:
        """Choose an address, and a new one of the same kind."""
        address = self.chance.choice([one for one in sorted(self.world.state()) if one.count(".") == 1])
        self.number += 1
        return (address, f"{address.partition('.')[0]}.{self.chance.choice([*KEYS, f'k{self.number}'])}")

    def plan_file(self) -> str:
        """Return the name of a new plan file."""
        self.number += 1
        return f"plan{self.number}.json"

    def pulled(self) -> str:
        """Return a file with a state of now or before."""
        place = self.world.folder / "pulled.json"
        if not place.exists() or self.chance.random() < 0.6:
            ran = self.command("state", "pull")
            if ran.code == 0:
                place.write_text(ran.text)
        return str(place)

    def serial(self) -> int:
        """Return the serial of the state."""
        return int(json.loads(self.world.document("") or b"{}").get("serial", 1))


def history(seed: int) -> Verdict:
    """Run the history of a seed; seeds that follow each other go through all commands and all kinds."""
    verdict = Verdict(seed)
    with new_world(seed, pair=True) as world:
        try:
            Every(world, verdict, seed).go(world.chance.randint(5, 12))
        finally:
            verdict.story = [*world.story, "", *(line for side in world.sides.values() for line in side.net.log)]
        verdict.count(world)
    return verdict
