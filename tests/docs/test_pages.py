"""The documentation shows what the program does: every command line on its pages is run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from scripts import run_docs, walk

PAGES = {str(page.relative_to(run_docs.ROOT)): page for page in run_docs.pages()}


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_print_what_it_shows(name: str, program: Path) -> None:
    """Each `$ command` of a page runs, in order, and prints what stands below it. Those of the front page are started
    as people start them.
    """
    assert run_docs.check_page(PAGES[name], programs=run_docs.PROGRAMS if name == "README.md" else program) == []


def page(folder: Path, text: str) -> Path:
    """Write a page to check."""
    found = folder / "page.md"
    found.write_text(text, "utf-8")
    return found


def test_a_stale_output_is_found_and_rewritten(tmp_path: Path) -> None:
    """Output that differs is reported with its line, and `--write` puts the real one in its place."""
    stale = page(tmp_path, "# Page\n\n```console\n$ reconciler --version\nreconciler, version 0.0.0-never\n```\n")
    [problem] = run_docs.check_page(stale)
    assert "page.md:4: `reconciler --version` prints something else" in problem
    run_docs.check_page(stale, write=True)
    assert run_docs.check_page(stale) == []


def test_a_failure_must_be_shown(tmp_path: Path) -> None:
    """A command that fails without `echo $?` after it is reported: a page may not pass it off as success."""
    text = "```console\n$ reconciler plan\n...\n$ reconciler --version\n...\n```\n"
    assert any("the page hides it" in problem for problem in run_docs.check_page(page(tmp_path, text)))


def test_a_failure_at_the_end_must_be_shown(tmp_path: Path) -> None:
    """The last command of a page counts like any other."""
    [problem] = run_docs.check_page(page(tmp_path, "```console\n$ reconciler plan\n...\n```\n"))
    assert "the page hides it" in problem


def test_a_shown_failure_is_fine(tmp_path: Path) -> None:
    """With `echo $?` and its output below, a failing command is part of the page."""
    text = "```console\n$ reconciler plan\n...\n$ echo $?\n3\n```\n"
    assert run_docs.check_page(page(tmp_path, text)) == []


def test_files_of_a_page_are_written_before_its_commands(tmp_path: Path) -> None:
    """A fence with a title is a file of the session."""
    text = '```yaml title="notes/a.yaml"\na: 1\n```\n\n```console\n$ cat notes/a.yaml\na: 1\n```\n'
    assert run_docs.check_page(page(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        (["a", "..."], ["a", "b", "c"], True),
        (["...", "c"], ["a", "b", "c"], True),
        (["a", "c"], ["a", "b", "c"], False),
        (["took 0.1 s"], ["took 12.5 s"], True),
        (["took 1 request"], ["took 2 request"], False),
        (["Digest: " + "a" * 64], ["Digest: " + "0" * 64], True),
    ],
)
def test_only_times_and_digests_may_differ(shown: list[str], printed: list[str], expected: bool) -> None:
    """`...` stands for any lines; seconds and digests are compared by form, everything else by letter."""
    assert run_docs.same(shown, printed) is expected


@pytest.mark.parametrize(
    "line", ["reconciler plan --colour", "reconciler plann", "reconciler state lst", "reconciler --enviro x plan"]
)
def test_commands_that_are_only_shown_must_exist(line: str, tmp_path: Path) -> None:
    """In fences that are not run, unknown commands and options are reported."""
    [problem] = run_docs.check_page(page(tmp_path, f"```sh\n{line}\n```\n"))
    assert line in problem


def test_commands_that_are_only_shown_may_do_anything_known(tmp_path: Path) -> None:
    """Known options and other programs pass."""
    text = "```sh\ngit clone somewhere\nreconciler --env prod plan --out plan.json  # saved\nmake demo\n```\n"
    assert run_docs.check_page(page(tmp_path, text)) == []


def test_the_walks_of_the_first_days_type_what_the_page_shows() -> None:
    """`scripts.walk` measures all lines of the page, each under the heading of its day, and has figures there."""
    text = walk.PAGE.read_text("utf-8")
    done = list(walk.steps(text))
    days = re.findall(r"^## (.+)$", text, re.M)
    assert list(dict.fromkeys(step.day for step in done if not step.hidden)) == days
    assert len(days) == 3
    typed = [step.line for step in done if step.line and not step.hidden]
    assert typed == [line for line in re.findall(r"^\$ (.+)$", text, re.M) if line != "echo $?"]
    for day in days:
        count = sum(1 for step in done if step.day == day and step.line and not step.hidden)
        assert re.search(rf"^\| {day} \| {count} \| \d+ s \|$", text, re.M), day


def test_a_walk_types_into_a_terminal(tmp_path: Path) -> None:
    """Of 80 columns; a folder that a line changes to is that of the next."""
    (tmp_path / "x").mkdir()
    environ = {**os.environ, "TERM": "xterm"}
    assert walk.typed("test -t 1 && cd x", tmp_path, environ) == (tmp_path / "x", 0)
    assert walk.typed("exit 7", tmp_path, environ)[1] == 7
