"""`--out` and `--format FORM=FILE` never write over a file of another kind, and find out before any request."""

from __future__ import annotations

import pytest

from tests.world import World

CONFIG = "tags: {a: {}}\n"
OTHERS = {
    "configuration": CONFIG,
    "notes": "- buy milk\n",
    "other JSON": '{"name": "package"}',
    "a list": "[]",
    "half a plan": '{"format_version": "1.2", "digest": ',
    "deep JSON": "[" * 100_000,
}
COMMANDS = ("plan --out", "plan --destroy --out", "undo --out", "clone --from demo --to other --out", "snapshot --out")


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_another_kind_is_kept(world: World, command: str, other: str) -> None:
    """Somebody may have typed the wrong name; nothing was asked of the account by then."""
    world.write(CONFIG)
    path = world.folder / "file"
    path.write_text(OTHERS[other])
    ran = world.cli(*command.split(), str(path))
    assert ran.code == 1
    assert f"{path} is there already and is not a {'snapshot' if 'snapshot' in command else 'plan'}" in ran.err
    assert path.read_text() == OTHERS[other]
    assert world.requests() == []


def test_a_plan_an_empty_file_and_a_device_are_written(world: World) -> None:
    """A plan is made anew again and again under one name; a folder is no file."""
    world.write(CONFIG)
    path = world.folder / "p.json"
    path.touch()
    for _ in range(2):
        assert world.cli("plan", "--out", str(path)).code == 0
        assert world.cli("show", str(path)).code == 0
    assert world.cli("plan", "--out", "/dev/null").code == 0
    assert world.cli("snapshot", "--out", str(path)).code == 1
    assert world.cli("show", str(path)).code == 0
    folder = world.cli("plan", "--out", str(world.folder / "config"))
    assert folder.code == 1
    assert "directory" in folder.err


def test_a_report_does_not_replace_configuration(world: World) -> None:
    """`--format json=config/main.yaml` would be read as configuration by the next command."""
    world.write(CONFIG)
    path = next(world.folder.glob("config/*.yaml"))
    ran = world.cli("plan", "--format", f"json={path}")
    assert ran.code == 1
    assert "is not a report" in ran.err
    assert path.read_text() == CONFIG


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_a_report_does_not_replace_what_the_program_keeps(world: World, form: str) -> None:
    """State, history, records of runs, snapshots and the account of the emulator, wherever they are."""
    world.write(CONFIG)
    world.apply()
    assert world.cli("snapshot", "--out", "snapshot.json").code == 0
    (world.folder / "account").write_bytes(b"SQLite format 3\0" + b"\0" * 90)
    (world.folder / "sealed").write_bytes(b"age-encryption.org/v1\n-> X25519 abc\n")
    kept = [path for path in world.folder.rglob("state/**/*") if path.is_file() and path.stat().st_size]
    kept += [world.folder / name for name in ("snapshot.json", "account", "sealed")]
    assert len(kept) > 4
    for path in kept:
        before = path.read_bytes()
        ran = world.cli("plan", "--format", f"{form}={path}")
        assert (path.read_bytes(), ran.code) == (before, 1), path
        assert "is there already and is" in ran.err, path


def test_a_plan_is_told_by_its_types(world: World) -> None:
    """Notes that happen to have two members of a plan are kept."""
    world.write(CONFIG)
    path = world.folder / "notes.json"
    for text in ('{"digest": "x", "changes": ["my notes"]}', "null", '{"digest": 1, "changes": []}'):
        path.write_text(text)
        ran = world.cli("plan", "--out", str(path))
        assert (ran.code, path.read_text()) == (1, text)
