"""What a project reads and writes: nothing outside of its repository, and nothing that others may read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pyrage
import pytest

from tests.world import World

TAGS = "tags: {vip: {name: VIP}}\n"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("command", "forms"),
    [
        ("plan", ("text", "json", "markdown", "html", "sarif", "github", "gitlab")),
        ("show p.json", ("text", "json", "markdown", "html", "sarif", "github", "gitlab")),
        ("drift", ("text", "json", "markdown", "html", "junit")),
    ],
)
def test_views_of_a_plan_are_as_private_as_the_plan(world: World, command: str, forms: tuple[str, ...]) -> None:
    """Also where a file was there that everybody could read."""
    world.write(TAGS)
    assert world.cli("plan", "--out", "p.json").code == 0
    (world.folder / "text.out").write_text("")
    (world.folder / "text.out").chmod(0o644)
    ran = world.cli(*command.split(), *(word for form in forms for word in ("--format", f"{form}={form}.out")))
    assert ran.code == 0, ran.text
    assert {form: _mode(world.folder / f"{form}.out") for form in forms} == dict.fromkeys(forms, 0o600)
    assert _mode(world.folder / "p.json") == 0o600


OUTSIDE = {
    "environment of the process": 'config: ["/proc/self/environ"]',
    "file beside the project": 'config: ["../outside/a.yaml"]',
    "folder beside the project": 'config: ["../outside"]',
    "everything": 'config: ["/"]',
    "device": 'config: ["/dev/zero"]',
    "include": "include: [{source: ../outside}]",
    "link in a folder": "config: [config]",
    "link to a folder": "config: [config]",
    "overlay": "config: [config]",
}


@pytest.mark.parametrize("way", sorted(OUTSIDE))
def test_a_project_reads_nothing_outside(world: World, way: str) -> None:
    """Neither by a name nor by a link; what is there is not shown."""
    there = world.folder.parent / "outside"
    there.mkdir()
    (there / "a.yaml").write_text("canary: {canary: canary}\n")
    world.write(TAGS)
    if way == "link in a folder":
        os.symlink(there / "a.yaml", world.folder / "config" / "b.yaml")
    if way == "link to a folder":
        os.symlink(there, world.folder / "config" / "more")
    overlays = "overlays: [../outside/a.yaml]" if way == "overlay" else ""
    project = f"version: 1\nenvironments: {{demo: {{url: 'emulator:a.db', {overlays}}}}}\n{OUTSIDE[way]}\n"
    world.write(project, "reconciler.yaml")
    for command in ("validate", "plan", "fmt --check"):
        ran = world.cli(*command.split())
        if command != "fmt --check" or way != "include":  # fmt touches nothing that is included
            assert (ran.code, "[outside]" in ran.text) == (3, True), ran.text
        assert "canary" not in ran.text


def test_a_project_reads_all_of_its_repository(world: World) -> None:
    """A folder that several projects of one repository share is beside them."""
    shared = world.folder.parent / "shared"
    shared.mkdir()
    (world.folder.parent / ".git").mkdir()
    (shared / "a.yaml").write_text(TAGS)
    project = "version: 1\nenvironments: {demo: {url: 'emulator:a.db'}}\nconfig: [config, ../shared]\n"
    world.write("lists: {}\n")
    world.write(project, "reconciler.yaml")
    ran = world.cli("validate")
    assert (ran.code, "1 resource" in ran.text) == (0, True), ran.text


@pytest.mark.parametrize("where", ["project", "environment"])
def test_an_export_into_another_folder_stays_encrypted(world: World, where: str) -> None:
    """The new project says for whom, and its state is no text."""
    identity = pyrage.x25519.Identity.generate()
    world.environ["RECONCILER_AGE_IDENTITY"] = str(identity)
    block = f"encryption: {{recipients: ['{identity.to_public()}']}}"
    inner, outer = (block, "") if where == "environment" else ("", block)
    project = f"version: 1\nenvironments: {{demo: {{url: 'emulator:account.db', {inner}}}}}\n{outer}\n"
    world.write(TAGS)
    world.write(project, "reconciler.yaml")
    assert world.cli("apply", "--auto-approve").code == 0
    for _ in range(2):
        ran = world.cli("export", "--out", "copy")
        assert ran.code == 0, ran.text
        written = [path for path in (world.folder / "copy").rglob("*") if path.is_file() and "state" in path.parts]
        states = [path for path in written if path.suffix == ".json"]
        assert states
        assert all(path.read_bytes().startswith(b"age-encryption.org/v1") for path in states)


def test_a_secret_that_is_sent_once_is_asked_for_once(world: World) -> None:
    """The password of a user: the create needs it, and nothing after that."""
    users = (
        "users: {u: {email: a@b.example, username: abc, group: {name: Admin}, first_name: %s, last_name: B, "
        "password: '${secret.PW}'}}\n"
    )
    world.write(users % "A")
    assert world.cli("plan").code == 3
    world.environ["PW"] = "canary-password"
    assert "canary" not in world.cli("apply", "--auto-approve").text
    del world.environ["PW"]
    assert world.cli("plan", "--detailed-exitcode").code == 0
    for command in ("drift", "explain user.u", "plan --target user.u", "export", "snapshot --out s.json"):
        ran = world.cli(*command.split())
        assert ran.code == 0, (command, ran.text)
    world.write(users % "Al")
    assert world.cli("plan", "--out", "p.json").code == 0
    assert json.loads(world.cli("plan", "--format", "json").out)["summary"]["change"] == 1
    assert world.cli("apply", "p.json").code == 0
    assert world.cli("plan", "--detailed-exitcode").code == 0
