"""A command that is killed between two of the files that it writes leaves a configuration that can be read, and the
next one finishes it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from reconciler.store.atomic import write_file
from tests.world import TWO_ACCOUNTS, World, new_world

GROUPED = {
    "config/a.yaml": "field_groups: {g: {object: deal, label: G, fields: [seen]}}\n",
    "config/b.yaml": "deal_fields: {seen: {label: Seen, type: text}}\n",
    "config/c.yaml": "tags: {t: {name: T, description: mine}}\n",
}


class Killed(BaseException):
    """The process is no more."""


def killed_after(patch: pytest.MonkeyPatch, count: int) -> list[str]:
    """Let a process die when it is about to write one more file than this; returns the names of those written."""
    written: list[str] = []

    def dies(path: Path, content: bytes, **more: Any) -> None:
        if len(written) == count:
            raise Killed
        written.append(path.name)
        write_file(path, content, **more)

    patch.setattr("reconciler.store.outputs.write_file", dies)
    return written


def prepared(world: World, command: str) -> tuple[str, ...]:
    """Bring about that a command has several files to write; returns its words."""
    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    for name, text in GROUPED.items():
        world.write(text, name)
    for name in ("a", "b"):
        assert world.cli("-e", name, "apply", "--auto-approve", "-q").code == 0
    if command == "drift --absorb":
        for table, name in (("tags", "description"), ("dealCustomFieldMeta", "fieldLabel")):
            key = "tag" if table == "tags" else "fieldLabel"
            (row,) = (one for one in world.account.rows.all(table) if one[key] in ("T", "Seen"))
            world.account.rows.put(table, row["id"], {**row, name: "theirs"})
        return ("-e", "a", "drift", "--absorb")
    world.write("field_groups: {g: {object: deal, label: G, fields: []}}\n", "config/a.yaml")
    world.write("", "config/b.yaml")
    world.write("tags: {t: {name: T, description: other}}\n", "config/c.yaml")
    return ("-e", "a", "export") if command == "export" else ("promote", "--from", "b", "--to", "a")


@pytest.mark.parametrize("command", ["drift --absorb", "export", "promote"])
def test_a_kill_between_two_files_leaves_what_can_be_read(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each write the files are valid, and running the command again finishes what was begun."""
    most, ends = 0, set()
    for count in range(8):
        with new_world(tmp_path / str(count)) as world:
            words = prepared(world, command)
            with monkeypatch.context() as patch:
                written = killed_after(patch, count)
                with suppress(Killed):
                    world.cli(*words)
            valid = world.cli("-e", "a", "validate")
            assert valid.code == 0, (written, valid.text)
            most = max(most, len(written))
            again = world.cli(*words)
            assert again.code == 0, again.text
            ends.add(tuple(path.read_text("utf-8") for path in sorted((world.folder / "config").iterdir())))
            if command != "promote":  # what is promoted is yet to be applied
                assert world.cli("-e", "a", "plan", "--detailed-exitcode").code == 0
            if len(written) < count:
                break
    assert most > 1, "the command wrote one file only"
    assert command == "export" or len(ends) == 1, ends  # an export may say one thing in two ways: its plan is empty
