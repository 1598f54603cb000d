"""The list of decisions: number, title, date and status of each page, and both sides of what was reversed."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import pytest

from scripts import check_decisions

HEAD = "# Decisions\n\nWhat was decided.\n\n| page | in one line |\n|---|---|\n"
README = f"{HEAD}| [0001](0001-a.md) | A | 2026-01-02 | accepted |\n"
OLD = "# 0001: One way\n\n{}It is done so.\n"
NEW = "# Another way\n\n{}It is done otherwise.\n"


def problems(root: Path, old: str, new: str) -> list[str]:
    """Return the findings of two pages that have these paragraphs."""
    folder = root / check_decisions.FOLDER
    folder.mkdir(parents=True)
    (folder / "0001-a.md").write_text(OLD.format(f"{old}\n\n" if old else ""), "utf-8")
    (folder / "0002-b.md").write_text(NEW.format(f"{new}\n\n" if new else ""), "utf-8")
    return list(check_decisions.problems(check_decisions.read(folder)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("Superseded by 0002 (2026-11-28).", "Supersedes 0001 (2026-11-28)."),
        (
            "Superseded in part by [0002](0002-b.md) (2026-11-28): the\nway.",
            "Supersedes the last\nsentence of [0001](0001-a.md).",
        ),
    ],
)
def test_both_sides_say_it(tmp_path: Path, old: str, new: str) -> None:
    """A page that replaces another one, or a part of it, is named there and names it."""
    assert problems(tmp_path, old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Superseded by 0002 (2026-11-28).", "", '0002-b.md: has no paragraph "Supersedes 0001"'),
        ("", "Supersedes 0001.", '0001-a.md: does not say "Superseded by 0002 (DATE)"'),
        ("Superseded by 0002.", "Supersedes 0001.", '0001-a.md: does not say "Superseded by 0002 (DATE)"'),
        ("Superseded by 0009 (2026-11-28).", "", "0001-a.md: superseded by 0009, which does not exist"),
        ("", "Supersedes 0009.", "0002-b.md: supersedes 0009, which does not exist"),
        ("Superseded by [2](0002-b.md) (2026-11-28).", "", "0001-a.md: superseded by a page without its number"),
        ("", "Supersedes in part [1](0001-a.md).", "0002-b.md: supersedes a page without its number"),
    ],
)
def test_one_side_alone_is_reported(tmp_path: Path, old: str, new: str, said: str) -> None:
    """So is a page that does not exist, or a reversal without a date."""
    [found] = problems(tmp_path, old, new)
    assert said in found


def test_a_number_is_given_once(tmp_path: Path) -> None:
    """Two pages of one number are reported."""
    problems(tmp_path, "", "")
    (tmp_path / check_decisions.FOLDER / "0002-c.md").write_text("# C\n", "utf-8")
    found = list(check_decisions.problems(check_decisions.read(tmp_path / check_decisions.FOLDER)))
    assert [line.split(": ")[1] for line in found] == ["the number 0002 is that of 0002-c.md too"]


def test_the_list_is_written_from_the_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Dates that stand in the list stay, a new page has that of its commit or of today; a stale list is reported."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    problems(tmp_path, "Superseded in part by 0002 (2026-11-28): the way.", "Supersedes in part 0001.")
    readme = tmp_path / check_decisions.FOLDER / "README.md"
    readme.write_text(README, "utf-8")
    assert check_decisions.main([], tmp_path) == 1
    assert "README.md: stale" in capsys.readouterr().out
    assert check_decisions.main(["--write"], tmp_path) == 0
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    assert readme.read_text("utf-8").partition("|---|---|---|---|\n")[2].splitlines() == [
        "| [0001](0001-a.md) | One way | 2026-01-02 | superseded in part by [0002](0002-b.md) (2026-11-28) |",
        f"| [0002](0002-b.md) | Another way | {today} | accepted |",
    ]
    assert check_decisions.main([], tmp_path) == 0
