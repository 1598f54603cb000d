"""Every entry under the configured folders is read, or named: what cannot be read is not taken for nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world import World

BASE = "tags: {s1: {}, s2: {}}\n"
OWN = "tags: {own: {}}\n"


def dead_link(path: Path) -> None:
    """A link to a file of a folder that is not there."""
    path.with_suffix(".yaml").symlink_to("../elsewhere/base.yaml")


def dead_folder(path: Path) -> None:
    """A link to a folder that is not there: a submodule that was not checked out."""
    path.symlink_to("../elsewhere")


def ring(path: Path) -> None:
    """A link to itself."""
    path.with_suffix(".yaml").symlink_to(path.with_suffix(".yaml").name)


def pipe(path: Path) -> None:
    """A named pipe: reading it would wait for somebody who writes."""
    os.mkfifo(path.with_suffix(".yaml"))


def listening(path: Path) -> None:
    """A socket, of any name."""
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)
        one.bind(path.name)
        os.chdir(here)


@pytest.mark.parametrize("spoil", [dead_link, dead_folder, ring, pipe, listening])
@pytest.mark.parametrize("below", ["config", "config/deep", "shared"])
def test_what_cannot_be_read_is_an_error(world: World, spoil: Callable[[Path], None], below: str) -> None:
    """Exit code 3 with the entry's name, in the configured folder, below it, and in a folder that is included."""
    world.write(OWN + ("include: [{source: ../shared}]\n" if below == "shared" else ""), "config/own.yaml")
    world.write(BASE, "shared/base.yaml" if below == "shared" else "config/base.yaml")
    assert world.cli("apply", "--auto-approve").code == 0
    (world.folder / below).mkdir(exist_ok=True)
    if below != "shared":
        (world.folder / "config/base.yaml").unlink()
    spoil(world.folder / below / "broken")
    for command in (("plan",), ("validate",), ("apply", "--auto-approve")):
        ran = world.cli(*command)
        assert ran.code == 3, ran.text
        assert f"{below}/broken" in ran.text
    assert sorted(world.state().resources) == ["tag.own", "tag.s1", "tag.s2"]


def test_a_folder_that_cannot_be_listed_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the folder itself is configured."""
    world.write(OWN, "config/own.yaml")
    world.write(BASE, "config/team/base.yaml")
    real = os.listdir

    def closed(path: str) -> list[str]:
        if str(path).endswith("team"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "listdir", closed)
    ran = world.cli("plan")
    assert ran.code == 3
    assert "config/team" in ran.text
    assert "Permission denied" in ran.text


@pytest.mark.parametrize("overlay", [dead_link, pipe])
def test_an_overlay_that_cannot_be_read_is_an_error(world: World, overlay: Callable[[Path], None]) -> None:
    """It would be taken for one that changes nothing."""
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text().replace("    url:", "    overlays: [over.yaml]\n    url:"))
    world.write(OWN, "config/own.yaml")
    overlay(world.folder / "over")
    ran = world.cli("plan")
    assert ran.code == 3, ran.text
    assert "over.yaml" in ran.text


@pytest.mark.parametrize(
    "name",
    ["crm.yaml~", ".crm.yaml.swp", "crm.YML", "crm.Yaml", "crm.yaml.bak", "crm.yml.txt", "crm.yaml.orig", "#crm.yaml#",
     "crm.ymal", "crm.yaml.disabled", ".crm.yaml", "deep/crm.yml_", ".hidden/crm.yaml", "crm.yaml (1)", "crm.json",
     "crm yaml", "crmyaml", "crm.ya", "crm.yl", "crm.yanl", "crm.taml"],
)  # fmt: skip
def test_a_near_miss_gets_a_warning(world: World, name: str) -> None:
    """It is named, is not read, and stops nothing."""
    world.write(OWN, "config/own.yaml")
    world.write("not: [read", f"config/{name}")
    ran = world.cli("plan")
    assert ran.code == 0, ran.text
    assert f"config/{name} is not read" in ran.text


def test_a_folder_in_the_place_of_a_file_gets_a_warning(world: World) -> None:
    """It may hold files, and is named where it holds none."""
    world.write(OWN, "config/own.yaml")
    (world.folder / "config/crm.yaml").mkdir()
    assert "config/crm.yaml is not read" in world.cli("plan").text
    world.write("tags: {x: {}}", "config/crm.yaml/tags.yaml")
    assert "not read" not in world.cli("plan").text


@pytest.mark.parametrize("name", ["README.md", "notes.txt", ".gitkeep", "query.sql", ".git/x.yaml", "page.xml", "a.yo"])
def test_other_files_are_nobodys_business(world: World, name: str) -> None:
    """What nobody would take for a configuration is passed over."""
    world.write(OWN, "config/own.yaml")
    world.write("x", f"config/{name}")
    assert "not read" not in world.cli("plan").text


def test_linked_files_and_folders_are_read(world: World) -> None:
    """Also a mounted volume, whose files link into a hidden folder, and a folder that links to one above it."""
    world.write(OWN, "config/own.yaml")
    world.write("tags: {a: {}}", "shared/team/a.yaml")
    world.write("tags: {b: {}}", "config/..2026/b.yaml")
    (world.folder / "config/..data").symlink_to("..2026")
    (world.folder / "config/b.yaml").symlink_to("..data/b.yaml")
    (world.folder / "config/team").symlink_to("../shared/team")
    (world.folder / "shared/team/again").symlink_to("../../config")
    ran = world.cli("plan")
    assert ran.code == 0, ran.text
    assert "3 to add" in ran.out
    assert "not read" not in ran.text


def test_nothing_compared_with_nothing_is_not_a_match(world: World) -> None:
    """Without a declaration and a state, the account does not "match the configuration"."""
    world.write("{}")
    for command, said in (
        (("plan",), "Nothing is declared and nothing is managed"),
        (("apply", "--auto-approve"), "Nothing is declared and nothing is managed"),
        (("destroy", "--auto-approve"), "Nothing is managed: there is nothing to destroy."),
        (("drift",), "Nothing is managed: there is nothing that could have changed."),
    ):
        ran = world.cli(*command)
        assert ran.code == 0, ran.text
        assert said in ran.out, ran.text
    world.write(OWN)
    world.apply()
    assert "No changes. The account matches the configuration." in world.cli("plan").out
    assert "No drift." in world.cli("drift").out
