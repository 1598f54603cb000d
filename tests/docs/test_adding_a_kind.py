"""The page on adding a kind shows what is in the repository."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.render.terms import SCREENS
from reconciler.resources import load_kinds

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "adding-a-kind.md").read_text("utf-8")
SHOWN = dict(re.findall(r"```diff\n\+\+\+ b/(\S+)\n(.*?)```", PAGE, re.S))


def test_the_shown_change_is_the_real_one() -> None:
    """Each file that the page shows holds exactly these lines; a whole file is shown whole."""
    assert len(SHOWN) == 4
    for name, diff in SHOWN.items():
        lines = "\n".join(line.removeprefix("+") for line in diff.rstrip("\n").split("\n"))
        assert all(line.startswith("+") for line in diff.rstrip("\n").split("\n")), name
        text = (ROOT / name).read_text("utf-8")
        assert lines in text, f"docs/adding-a-kind.md shows another {name}"
        if name.startswith(("reconciler/resources", "examples")):
            assert lines == text.rstrip("\n")


def test_the_counts_of_lines_are_true() -> None:
    """The table says how many lines each file takes."""
    said = dict(re.findall(r"^\| `(\S+)` \| (\d+) \|", PAGE, re.M))
    assert {name: len(diff.rstrip("\n").split("\n")) for name, diff in SHOWN.items()} == {
        name: int(count) for name, count in said.items()
    }


def test_every_kind_is_called_as_on_the_screens() -> None:
    """A report names each kind in the product's words and says what people notice when one of it is deleted."""
    kinds = load_kinds()
    assert set(SCREENS) == set(kinds)
    assert [name for name in kinds if name != "setting" and not SCREENS[name].gone] == []
