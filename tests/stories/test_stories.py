"""Every story ends as it is written down; `UPDATE_GOLDEN=1 pytest tests/stories` writes down how they end now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.stories.script import parse, written
from tests.stories.stage import staged

CASES = Path(__file__).parent / "cases"
LENGTH = 90
"""Characters of a project's path, wherever tests keep their files: lines are wrapped by it."""


@pytest.mark.socket
@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_story(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands print to both streams and exit as the story says; no command shows a secret or a traceback, and none
    that fails touches the state.
    """
    text = path.read_text("utf-8")
    folder = tmp_path / "-".ljust(LENGTH - len(f"{tmp_path}//acme"), "-") / "acme"
    with staged(folder, monkeypatch) as stage:
        actual = written([stage.play(item) for item in parse(text)])
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(actual, "utf-8")
        text = actual
    assert actual == text, f"{path.name} ends otherwise; if that is meant: UPDATE_GOLDEN=1 pytest tests/stories"
