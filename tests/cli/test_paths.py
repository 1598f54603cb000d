"""What is printed of paths: a name with line ends and control characters in it stands on one line, in every command."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler.cli
from reconciler.render.layout import folded
from reconciler.render.quoting import place, typed
from tests.cli.glass import Glass
from tests.cli.test_screen import sitting
from tests.world import World

__all__ = ["sitting"]

ODD = "a\n::error::b\x1b[31mc\u202ed"
LINES = [
    ["init", ODD, "--demo"], ["init", ODD, "--adopt", "emulator:../state/account.db"], ["export", "--out", ODD],
    ["plan", "--out", f"{ODD}.plan"], ["plan", "--format", f"json={ODD}.json"], ["show", f"{ODD}.missing"],
    ["apply", f"{ODD}.missing"], ["handbook", "--out", ODD], ["snapshot", "--out", f"{ODD}.json"],
    ["schema", "--out", ODD], ["undo", "--out", f"{ODD}.plan"], ["compare", ODD, "a"],
    ["emulator", "reset", "--db", ODD],
    ["emulator", "seed", "--db", ODD, "seed.yaml"], ["plan", "--against", f"{ODD}.missing"], ["validate"], ["fmt"],
    ["fmt", "--check"], ["plan", "--target", f"@{ODD}.missing"], ["state", "push", f"{ODD}.missing"],
    ["--chdir", ODD, "plan"], ["replay", f"{ODD}.missing"], ["probe", "--read-only", "--row", "6", "--out", ODD],
    ["policy", "test", f"{ODD}.missing"], ["graph", f"{ODD}.missing"],
]  # fmt: skip


def test_an_odd_name_is_shown_and_not_obeyed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it begins a line, moves a cursor or turns a line round, on standard output or error."""
    world.write("tags: {vip: {}}")
    world.apply()
    world.write("tags:   {gold: {}}", f"config/{ODD}.yaml")
    (world.folder / "seed.yaml").write_text("tags: [{tag: A}]", "utf-8")
    monkeypatch.chdir(world.folder)
    named = 0
    for line in LINES:
        ran = world.cli(*line)
        named += "::error" in ran.text
        assert "::error::" not in [one.strip()[:9] for one in ran.text.splitlines()], ran.text
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", ran.text), ran.text
    assert named > len(LINES) / 2


def test_every_path_that_a_command_prints_goes_through_one_function() -> None:
    """What is called like one in a sentence of the commands is `place(...)`, or `typed(...)` in what is typed."""
    bare = []
    for path in sorted(Path(reconciler.cli.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "note", "advise")):
                continue
            parts = [ast.unparse(one.value) for one in ast.walk(node) if isinstance(one, ast.FormattedValue)]
            bare += [
                (path.name, one)
                for one in parts
                if re.search(r"^(?!(quoting\.)?place|typed).*\b(path|out|folder|file|relpath)\b", one)
            ]
    assert bare == []


@pytest.mark.parametrize("name", ["plain", "a b", "it's", ODD, "tab\there", "\udcff"])
def test_a_path_is_typed_as_a_shell_takes_it(name: str) -> None:
    """On one line; what needs no quotes has none."""
    shown = typed(name)
    assert place(shown) == shown
    assert shlex.split(shown) == [name] or shown.startswith("$'")


# --- sentences that fit --------------------------------------------------------------------------------------------

SENTENCES = [
    "Note: left as they came with the account: user_group (`Visitors`, `Clients`, `Admin`); deal_field (`Forecasted`)",
    "  hint: give this environment a state of its own (`state:`), or correct its `url`, whichever of the two is wrong",
    "\x1b[1;31merror:\x1b[0m the state at state/prod.json belongs to another account than the one at this address",
]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_broken_at_blanks(width: int, sentence: str) -> None:
    """No line is wider than the terminal, no word is lost; colours take no columns."""
    shown = folded(sentence, width)
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= width for line in shown.split("\n"))
    assert shown.split() == sentence.split()
    assert folded(shown, width) == shown


def test_what_is_copied_is_not_broken() -> None:
    """A command that stands alone, and a word that is longer than a line."""
    command = "reconciler --chdir a/very/long/folder/of/somebody plan"
    assert folded(command, 20) == command
    assert folded(f"see {'x' * 50} there", 20).split("\n") == ["see", "  " + "x" * 50, "  there"]


WIDE = [
    "plan", "export", "coverage", "compare a b", "drift", "doctor", "init acme --adopt emulator:../state/account.db",
    "validate", "state list", "kinds", "plan --target tag.nothing", "-e nope plan", "lock break nothing",
    "import tag.vip 99", "clone --from a --to b --dry-run", "explain tag.vip", "handbook --out book",
    "probe --read-only",
]  # fmt: skip


TABLES = ["runs list", "state list", "kinds", "kinds field", "lock list", "doctor"]


def test_no_line_is_wider_than_the_terminal(world: World, sitting: Callable[[int], Glass]) -> None:
    """Of any command, but for words that are longer than a line: the glass counts where it had to break."""
    from reconciler.cli import program
    from tests.world import TWO_ACCOUNTS

    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    world.write("tags: {vip: {description: " + "many words " * 20 + "}}")
    world.apply()
    world.write("tags: {vip: {description: " + "other words " * 20 + "}, gold: {}}")
    for width, line in [*((60, line) for line in WIDE), *((80, line) for line in TABLES)]:
        glass = sitting(width)
        program.run(["--chdir", str(world.folder), *line.split()])
        assert [row for row in glass.broken if " " in row.strip() and "Digest" not in row] == [], (width, line)
