"""What somebody fills in beside the declarations is told by `drift` and written by `drift --absorb --unmanaged`: each
attribute by itself. Random accounts are in `test_every_difference`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.spec import Ensure, OnAtFirst, Roster
from reconciler.resources import load_kinds
from tests.environments.filling import BARE, FILLED, SILENT, everything, fillable, filled, sections
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

Place = tuple[str, str]
ADDRESSES = {f"{section}.{key}": f"{sections()[section]}.{key}" for section, ones in BARE.items() for key in ones}
WITHOUT_MARK = {
    ("connection", "status"), ("connection", "sync_running"), ("site_domain", "conversations"),
    ("site_domain", "web_personalization"), ("account_field", "options"), ("deal_field", "options"),
    ("field", "options"), ("stage", "order"),
}  # fmt: skip
"""Silent for a reason that no mark of the kind says."""


def named(chosen: Iterable[Place]) -> set[str]:
    """Return the attributes as commands call them: "tag.it.description"."""
    return {f"{ADDRESSES[place]}.{name}" for place, name in chosen}


def by_hand(world: World, where: str, chosen: Iterable[Place]) -> None:
    """Fill values into an account through the API, so that neither the files nor the state know of it."""
    changed_by_hand(world, where, filled(chosen))


def changed_by_hand(world: World, where: str, content: Any) -> None:
    """Make an account what some files say, so that neither the files at hand nor the state know of it."""
    state, kept = world.folder / "state", world.folder.parent / "kept"
    shutil.copytree(state, kept)
    files = world.folder / "config/main.yaml"
    before = files.read_text("utf-8")
    world.write(json.loads(json.dumps(content)))
    apply(world, where)
    shutil.rmtree(state)
    shutil.move(kept, state)
    files.write_text(before, "utf-8")


def apply(world: World, where: str) -> str:
    """Apply, with a yes to each guard; return what was said."""
    plan = world.cli("-e", where, "plan", "--format", "json")
    assert plan.out.strip(), plan.text
    tripped = [one for one in json.loads(plan.out)["guards"] if one["verdict"] == "tripped"]
    ran = world.cli(
        "-e", where, "apply", "--auto-approve", *(word for one in tripped for word in one["override"].split())
    )
    assert ran.code in (0, 5, 7), ran.text
    return ran.text


@contextmanager
def applied(folder: Path) -> Iterator[World]:
    """Make a project with two environments, both applied bare."""
    with new_world(folder) as world, hold(folder / "state/b.db"):
        world.begin_with(_applied)
        yield world


def _applied(world: World) -> None:
    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    world.write(json.loads(json.dumps(BARE)))
    for name in ("a", "b"):
        ran = world.cli("-e", name, "apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text


@dataclass
class Told:
    """What the commands said, in this order."""

    drift: Any
    wide: Any
    absorbed: Any
    files: Any
    after: Any
    plan: Any


@pytest.fixture(name="told", scope="module")
def what_is_told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Two accounts hold the least of every kind; everything is filled in by hand, looked at, and absorbed."""
    with applied(tmp_path_factory.mktemp("two") / "project") as world:
        by_hand(world, "a", everything())
        drift = world.cli("drift", "--detailed-exitcode")
        wide = json.loads(world.cli("drift", "--format", "json").out)
        absorbed = world.cli("drift", "--absorb", "--unmanaged", "--format", "json")
        files = yaml.safe_load((world.folder / "config/main.yaml").read_text("utf-8"))
        yield Told(drift, wide, absorbed, files, world.cli("drift", "--detailed-exitcode"), world.cli("plan"))


def notes(warnings: Iterable[str]) -> set[str]:
    """Return the attributes that the notes of a drift name."""
    found = [re.match(r"(\S+): (.*) (?:is|are) set in the account and not managed", line) for line in warnings]
    return {f"{one[1]}.{name}" for one in found if one for name in re.findall(r"`(\w+)`", one[2])}


def test_no_attribute_is_forgotten() -> None:
    """Whatever can be filled in is filled in here, or has a reason why drift has no word for it."""
    kinds = sections()
    tried = {(kinds[place.split(".")[0]], name) for place, name in everything()}
    assert fillable() == tried | set(SILENT), sorted(fillable() ^ (tried | set(SILENT)))
    assert not tried & set(SILENT)
    for kind, name in SILENT:
        one = load_kinds()[kind]
        quiet = name in one.reading.filled or one.attributes[name].has(Ensure, OnAtFirst, Roster)
        assert quiet or (kind, name) in WITHOUT_MARK, (kind, name)


@pytest.mark.parametrize("place", FILLED)
def test_drift_tells_and_absorb_writes_what_is_filled_in(told: Told, place: str) -> None:
    """Each attribute by name, as a note; afterwards it is declared as the account has it."""
    assert named((place, name) for name in FILLED[place]) <= notes(told.wide["warnings"])
    section, key = place.split(".")
    for name, value in FILLED[place].items():
        assert name in told.files[section][key], told.absorbed.text
        assert name == "relationships" or told.files[section][key][name] == value


def test_what_is_filled_in_changes_no_exit_code(told: Told) -> None:
    """Nobody manages it: no drift. Once absorbed it is managed, and both commands have nothing to say."""
    assert told.drift.code == 0, told.drift.text
    assert told.wide["changes"] == []
    assert told.absorbed.code == 0, told.absorbed.text
    assert told.after.code == 0, told.after.text
    assert "not managed" not in told.after.text
    assert "No changes." in told.plan.out, told.plan.text
