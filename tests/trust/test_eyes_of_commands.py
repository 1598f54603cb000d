"""A key that is shown one of two: no command of the program concludes anything from what it does not show."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.resources import load_kinds
from reconciler.workflow.observation.book import open_book
from tests.fleet import COMMANDS as FLEET
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import Held, hold
from tests.world.commands import leaves

BOARD = {"currency": "usd", "stages": {"lead": {}, "won": {}}}
NEWS = {"sender_url": "https://a.example", "sender_reminder": "You asked."}
SECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "pipeline": ("pipelines", {key: {"title": key.title(), **BOARD} for key in ("seen", "unseen")}),
    "list": ("lists", {key: {"name": key.title(), "string_id": key, **NEWS} for key in ("seen", "unseen")}),
}
"""Two of each kind that permissions filter."""
TABLES = {"pipeline": ("dealGroups", "dealStages"), "list": ("lists",)}
LOSSES = [
    word
    for one in ("list_deletes=list.unseen", "max_deletes=9", "unmanaged_lost=unknown")
    for word in ("--allow", one)
]  # fmt: skip
COMMANDS: dict[str, list[list[str]]] = {
    "snapshot": [["--out", "partly.snap.gz"]],
    "plan": [[], ["--against", "partly.snap.gz"], ["--refresh-only"], ["--out", "p.json"], ["--no-delete"]],
    "apply": [["--auto-approve"], ["p.json"], ["--auto-approve", "--strict"]],
    "destroy": [["--auto-approve", "--target", "{unseen}", *LOSSES]],
    "export": [[], ["--prune"], ["--out", "elsewhere"]],
    "import": [["{unseen}", "{id}"]],
    "state import": [["{unseen}", "{id}"]],
    "clone": [
        [*ways, *more, *(LOSSES if "--prune" in more else [])]
        for ways in (["--from", "a", "--to", "b"], ["--from", "b", "--to", "a"])
        for more in (["--auto-approve", "--prune"], ["--auto-approve"], ["--dry-run", "--prune"], ["--out", "c.json"])
    ],
    "promote": [
        [*ways, *more]
        for ways in (["--from", "a", "--to", "b"], ["--from", "b", "--to", "a"])
        for more in (["--prune"], ["--prune", "--dry-run"], ["--overrule"], ["--prune", "--plan"])
    ],
    "compare": [
        ["a", "b"],
        ["b", "a"],
        ["a", "."],
        [".", "a"],
        ["b", "."],
        ["a", "a.snap.gz"],
        ["b.snap.gz", "a"],
        ["partly.snap.gz", "a.snap.gz"],
        ["b.snap.gz", "partly.snap.gz"],
    ],
    "rehearse": [[]],
    "replay": [["partly.snap.gz"]],
    "drift": [[], ["--absorb"], ["--absorb", "--unmanaged"], ["--revert"]],
    "explain": [["{unseen}"]],
    "coverage": [[]],
    "handbook": [["--out", "handbook"], ["--out", "handbook", "--from", "partly.snap.gz"]],
    "ids": [["--lang", "json"], ["--lang", "json", "--partial"]],
    "probe": [["--read-only"]],
    "doctor": [[]],
    "runs resume": [["--auto-approve"]],
    "state doctor": [[]],
    "undo": [["--auto-approve", "--allow", "list_deletes=list.seen"]],
}
"""Every command that reads an account, in the ways in which absence could be taken for something."""
BLIND = {
    "init", "validate", "fmt", "show", "graph", "kinds", "schema", "version", "completion", "help", "policy test",
    "update",
    *(f"fleet {one}" for one in FLEET),
    *(f"emulator {one}" for one in ("behave", "reset", "seed", "serve")),
    *(f"ci {one}" for one in ("approve", "approved", "body", "comment", "drift", "fetch", "guard")),
    *(f"state {one}" for one in ("history", "list", "migrate", "mv", "pull", "push", "rekey", "restore", "rm", "show")),
    "test", "runs list", "runs show", "lock break", "lock list",
}  # fmt: skip
"""Commands that read no account; `ci drift` shows to others what `drift` shows."""
EXPECTED = {"state doctor": (1,), "import": (3,), "state import": (3,)}
"""Exit codes of commands that say first of all that something is not shown; others plan the rest."""


def unseen_rows(held: Any, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of what the key of an account is not shown."""
    found = []
    first, *parts = TABLES[kind]
    name = "title" if kind == "pipeline" else "name"
    for row in list(held.rows.where(first, **{name: "Unseen"})):
        found.append((first, row))
        found += [(part, one) for part in parts for one in list(held.rows.where(part, group=row["id"]))]
    return found


class Partly:
    """Two accounts that hold the same two objects of a kind, and a key that is shown one of them, on one side."""

    def __init__(self, world: World, other: Held, kind: str, side: str, eyes: str) -> None:
        self.world, self.kind = world, kind
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        section, entries = SECTIONS[kind]
        world.write({section: entries})
        for name in ("a", "b"):
            ran = world.cli("-e", name, "apply", "--auto-approve", "-q")
            assert ran.code == 0, ran.text
            assert world.cli("-e", name, "snapshot", "--out", f"{name}.snap.gz").code == 0
        for ways in (("a", "b"), ("b", "a")):
            ran = world.cli("promote", "--from", ways[0], "--to", ways[1])
            assert ran.code == 0, ran.text
        self.accounts: dict[str, Any] = {"a": world.account, "b": other}
        self.side = side
        self.identity = unseen_rows(self.accounts[side], kind)[0][1]["id"]
        for table, row in unseen_rows(self.accounts[side], kind):
            self.accounts[side].rows.remove(table, row["id"])
        mine = self.accounts[side]
        for row in list(mine.rows.all("userGroups")):
            if eyes == "nobody":
                mine.rows.remove("userGroups", row["id"])
            else:
                mine.rows.put("userGroups", row["id"], {**row, "groupid": "7", "group": "7"})
        if eyes == "refused":
            mine.keep(replace(mine.settings, forbidden=("users",)))
        shown = self.accounts["b" if side == "a" else "a"]
        self.doomed = {(table, str(row["id"])) for table, row in unseen_rows(shown, kind)}
        self.before = {name: self.objects(name) for name in self.accounts}
        self.addresses = {f"{kind}.unseen", *(f"stage.unseen.{key}" for key in entries["unseen"].get("stages", ()))}

    def wrong(self) -> list[str]:
        """Return what a command has concluded: an object made again, one deleted where it is shown, a declaration or a
        binding that is gone.
        """
        now = {name: self.objects(name) for name in self.accounts}
        found = [f"more in {name}: {ids - self.before[name]}" for name, ids in now.items() if ids - self.before[name]]
        found += ["it is deleted"] if self.doomed - now["b" if self.side == "a" else "a"] else []
        for name in self.accounts:
            known = open_book(self.world.session(environment=name)).state().resources.keys()
            found += [f"the state of {name} forgot {one}" for one in self.addresses - known]
        declared: dict[str, Any] = {}
        for path in sorted((self.world.folder / "config").rglob("*.yaml")):
            declared |= yaml.safe_load(path.read_text("utf-8")).get(SECTIONS[self.kind][0], {})
        entry = SECTIONS[self.kind][1]["unseen"]
        if declared.get("unseen", {}).get("stages", {}).keys() != entry.get("stages", {}).keys():
            found.append("it is not declared any more")
        return found

    def objects(self, name: str) -> set[tuple[str, str]]:
        """Return what an account holds of the kind: table and id."""
        rows = self.accounts[name].rows
        return {(table, str(row["id"])) for table in TABLES[self.kind] for row in rows.all(table)}


USUAL = [("pipeline", "a", "part"), ("list", "b", "part")]
SIDES = [
    pytest.param(one, id="-".join(one), marks=() if one in USUAL else pytest.mark.prove)
    for one in itertools.product(SECTIONS, "ab", ("part", "nobody", "refused"))
]


@pytest.fixture(name="partly", params=SIDES)
def a_partial_view(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Partly]:
    """One for each kind, the side of the partial key, and what the account says of whose it is."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        yield Partly(world, other, *request.param)


def test_every_command_is_in_the_table() -> None:
    """A new command is told here whether it reads an account, and is tried if it does."""
    assert set(COMMANDS) | BLIND == set(leaves())
    assert not set(COMMANDS) & BLIND
    assert set(SECTIONS) == {name for name, kind in load_kinds().items() if kind.reading.filtered and not kind.nested}


def test_no_command_concludes_from_what_is_not_shown(partly: Partly) -> None:
    """Nothing of the kind is made or deleted on either side, no declaration and no binding goes, whatever is run; and
    what compares says that the absence proves nothing.
    """
    wrong = []
    for command, ways in COMMANDS.items():
        for way in ways:
            filled = [word.format(unseen=f"{partly.kind}.unseen", id=partly.identity) for word in way]
            ran = partly.world.cli("-e", partly.side, *command.split(), *filled)
            what, said = " ".join([command, *filled]), " ".join(ran.text.split())
            if ran.code not in EXPECTED.get(command, (0, 2, 4, 5, 6)):
                wrong.append(f"{what}: {ran.text}")
            wrong += [f"{what} ({ran.code}): {line}" for line in partly.wrong()]
            named = f"{partly.kind}.unseen" in said or "Unseen" in said or command in EXPECTED
            if named and "proves nothing" not in said:
                wrong.append(f"{what} does not doubt it: {ran.text}")
    assert not wrong, "\n".join(wrong)
