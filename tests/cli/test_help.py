"""The help: groups, examples that can be typed, tables that fit, and one style of errors."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest

from reconciler.cli import terminal
from reconciler.cli.examples import EXAMPLES, GROUPS
from reconciler.cli.fitting import Context
from reconciler.cli.program import COMMANDS, program
from reconciler.render.layout import cells
from reconciler.render.tables import table
from reconciler.resources import load_kinds
from reconciler.workflow.reference import attribute_rows, kind_rows
from tests.cli.test_screen import golden
from tests.world import World
from tests.world.commands import leaves

ROOT = Path(__file__).parent.parent.parent
LINES = [line for lines in EXAMPLES.values() for line in lines if line.startswith("reconciler ")]


def test_every_command_is_in_one_group() -> None:
    """And every group names commands that exist, or are about to."""
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(COMMANDS) <= set(grouped)
    assert set(grouped) - set(COMMANDS) <= {"doctor"}


def test_every_command_has_two_examples() -> None:
    """Those inside of groups as well; an example is of the command that shows it."""
    assert [name for name in leaves() if len(set(EXAMPLES.get(name, ()))) != 2] == []
    for name, lines in EXAMPLES.items():
        assert all(f" {name}" in line or line == "reconciler --version" for line in lines), name


def parse(words: list[str]) -> str:
    """Read a command line, run nothing, and return the words of its command. Raises what click does."""
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(program.make_context("reconciler", words))
        while isinstance(context.command, click.Group):
            name, found, rest = context.command.resolve_command(context, context._protected_args + context.args)
            assert found is not None
            context = stack.enter_context(found.make_context(name, rest, parent=context))
        return context.command_path


def groups() -> list[str]:
    """Every group of commands, by its words."""
    return sorted({" ".join(name.split()[:-1]) for name in leaves() if " " in name})


@pytest.mark.parametrize("group", ["", *groups()])
def test_a_group_alone_prints_its_help(world: World, group: str) -> None:
    """As `--help` does, but with a code that says that nothing was done, and nothing where data would be."""
    alone = world.cli(*group.split())
    assert (alone.code, alone.out) == (1, "")
    assert alone.err == world.cli(*group.split(), "--help").out
    assert len(re.findall(r"^ +reconciler ", alone.err.partition("Examples:")[2], re.M)) >= 2


def blanks() -> list[tuple[str, ...]]:
    """Every argument and option of every command that takes a value, as a command line with a blank one."""
    lines: list[tuple[str, ...]] = [("--chdir", "", "version"), ("--env", "", "version")]
    for name, command in leaves().items():
        before: list[str] = []
        for one in command.params:
            if isinstance(one, click.Argument):
                lines.append((*name.split(), *before, ""))
                before.append("1")
            elif isinstance(one, click.Option) and not (one.is_flag or one.count):
                lines.append((*name.split(), one.opts[-1], ""))
    return lines


@pytest.mark.parametrize("blank", ["", " \t"])
def test_nothing_that_is_named_may_be_blank(blank: str) -> None:
    """It is what is left of a variable that is not set: no newest run, no whole state, no check that is passed over."""
    lines = blanks()
    assert len(lines) > 120
    assert {("runs", "show", ""), ("apply", "--digest", ""), ("state", "rm", ""), ("import", "1", "")} <= {*lines}
    for line in lines:
        with pytest.raises(click.BadParameter, match=r"it is blank|is not (a valid|one of)"):
            parse([blank if word == "" else word for word in line])


def test_a_list_of_kinds_names_one(world: World) -> None:
    """A list that is empty between its commas is not the list of all."""
    ran = world.cli("plan", "--kinds", " ,")
    assert (ran.code, ran.err.splitlines()[0]) == (3, "error: --kinds names no kind")


def test_an_example_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program takes its options and arguments; files that it names are there."""
    monkeypatch.chdir(tmp_path)
    lines = [line for line in LINES if line.partition("|")[0].split()[-1] != "--version"]
    assert len(lines) > 100
    for line in lines:
        for name in re.findall(r"\S+\.(?:yaml|json|plan|snapshot)", line):
            if "=" not in name and ":" not in name and not Path(name).exists():
                Path(name).write_text("", "utf-8")
        words = shlex.split(re.split(r" [|>] ", line)[0])[1:]
        assert parse(words).partition(" ")[2] in " ".join(words), line


def test_help_of_a_command_is_its_own_help(world: World) -> None:
    """`help state mv` prints what `state mv --help` prints, with examples; `help` prints groups."""
    assert world.cli("help", "state", "mv").out == world.cli("state", "mv", "--help").out
    assert "reconciler state mv tag.vip tag.best" in world.cli("help", "state", "mv").out
    assert "Every day:" in world.cli("help").out
    assert "reconciler state list" not in world.cli("help", "state", "mv").out
    assert "Examples:" in world.cli("help", "state").out
    wrong = world.cli("help", "stat")
    assert wrong.code == 1
    assert wrong.err.splitlines() == [
        "error: no such command 'stat'",
        "  hint: did you mean 'state'? `reconciler help` lists the commands and options",
    ]
    assert world.cli("help", "plan", "more").code == 1


def test_help_knows_every_command(world: World) -> None:
    """What `help` prints of any command or group is what its own `--help` prints, with two examples."""
    for name in [*COMMANDS, *leaves()]:
        told = world.cli("help", *name.split())
        assert (told.code, told.out) == (0, world.cli(*name.split(), "--help").out), name
        assert len(re.findall(r"^ +\S*.*reconciler ", told.out.partition("Examples:")[2], re.M)) >= 2, name


@pytest.mark.parametrize("width", [60, 80, 120])
def test_tables_fit(width: int) -> None:
    """Cells are broken into lines, at blanks: no word of them is lost or broken."""
    kinds = load_kinds()
    whole = [(kind_rows(kinds), ["kind", "section", "api", "operations"])]
    columns = ["attribute", "api", "type", "changes", "description"]
    whole += [(attribute_rows(kind), columns) for kind in kinds.values()]
    for rows, names in whole:
        shown = table(rows, names, width=width)
        assert all(cells(line) <= width for line in shown.splitlines())
        missing = Counter(table(rows, names).split()[len(names) :]) - Counter(shown.split())
        assert not missing, "a heading is one word, and stands once or with each cell"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_help_of_every_command_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the terminal, and not a word is lost; what an example is broken at can be typed."""
    pages = {name: _page_of(name, width, monkeypatch) for name in ["", *COMMANDS, *groups(), *leaves()]}
    assert len(pages) > 70
    assert [(name, line) for name, page in pages.items() for line in page.splitlines() if cells(line) > width] == []
    for name, page in pages.items():
        assert _bare(page) == _bare(_page_of(name, 1_000, monkeypatch)), name
        typed = re.sub(r" \\\n\s*", " ", page.partition("Examples:")[2])
        assert all(f"  {line}\n" in typed + "\n" for line in EXAMPLES.get(name, ())), name
    captured = "".join(f"=== {name} --help\n{pages[name]}" for name in ("plan", "drift", "state mv"))
    golden(f"help-{width}.txt", captured)


def _page_of(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("shutil.get_terminal_size", lambda fallback=(80, 24): os.terminal_size((width, 24)))
    with contextlib.ExitStack() as stack:
        wide, names = max(80, width - 200), ["-h", "--help"]
        root = Context(program, info_name="reconciler", max_content_width=wide, help_option_names=names)
        context: click.Context = stack.enter_context(root)
        command: click.Command = program
        for word in name.split():
            assert isinstance(command, click.Group)
            found = command.get_command(context, word)
            assert found is not None
            monkeypatch.setattr(found, "_help_option", None)  # which click keeps with the names of who asked first
            command, context = found, stack.enter_context(Context(found, parent=context, info_name=word))
        return command.get_help(context)


def _bare(page: str) -> str:
    """A page without blanks, and without the mark of a line that goes on."""
    return re.sub(r"\s", "", re.sub(r" \\\n", "\n", page))


def test_a_table_that_fits_is_as_it_is_without_a_width() -> None:
    """Nothing is broken where there is room."""
    rows = [{"a": "one two", "b": 12}]
    assert table(rows, ["a", "b"], width=80) == table(rows, ["a", "b"])


@pytest.mark.parametrize(
    "line",
    ["plann", "plan --foo-bar", "compare demo", "plan --format yaml", "plan extra", "--chdir nowhere plan", "state lst",
     "emulator sreve", "apply missing.plan", "kinds tga", "-e nope plan", "runs show nothing", "show reconciler.yaml"],
)  # fmt: skip
def test_errors_are_told_in_one_style(world: World, line: str) -> None:
    """`error:` with what is wrong, behind the place where there is one, then `hint:` with what to do."""
    ran = world.cli(*line.split())
    assert ran.code != 0
    assert re.match(r"(\S+:\d+:\d+: )?error: [^A-Z]", ran.err), ran.err
    if line != "apply missing.plan":
        assert re.search(r"^  hint: \S", ran.err, re.M), ran.err
    assert "Usage:" not in ran.err
    assert "Error:" not in ran.err


def test_a_project_above_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a folder inside of a project the hint leads to it."""
    deep = world.folder / "config" / "lists"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    from reconciler.cli.program import run

    ran = world.cli("--chdir", str(deep), "plan")
    told = re.sub(r"\s+", " ", ran.err)
    assert f"the project `{world.folder.name}` is above: change there, or use `--chdir ../..`" in told
    assert run(["--chdir", "../..", "validate"]) == 0


def test_a_run_may_be_abbreviated(world: World) -> None:
    """By its beginning or its end, where only one run has it."""
    world.write("tags: {vip: {}}")
    world.apply()
    name = world.cli("runs", "list").out.splitlines()[1].split()[0]
    for short in (name[:-3], name[-4:], "latest"):
        assert f"run:       {name}" in world.cli("runs", "show", short).out
    world.write("tags: {vip: {}, gold: {}}")
    world.apply()
    both = world.cli("runs", "show", name[:4])
    assert "fits 2 runs" in both.err
    assert name in both.err


def test_every_table_of_a_command_is_told_how_wide_the_terminal_is() -> None:
    """So that its cells are broken there; `listed` does it for most."""
    calls = [
        node
        for path in sorted(Path(terminal.__file__).parent.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "table"
    ]
    assert len(calls) >= 2
    assert all(len(call.args) > 3 or "width" in {word.arg for word in call.keywords} for call in calls)
