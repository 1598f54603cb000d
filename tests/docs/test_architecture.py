"""The page on the architecture is true of the folders that stand there."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = re.compile(
    r"^class ([A-Z]\w+)(?!\w|\((?:Spec|TypedDict))|^([A-Z]\w*[a-z]\w*)(?:: TypeAlias)? = (?!TypeVar)", re.MULTILINE
)
"""A class or an alias of a type that a module gives a name to, but for specs of kinds and their parts."""
PACKAGES = {folder.name for folder in (ROOT / "reconciler").iterdir() if (folder / "__init__.py").exists()}


def test_every_row_of_the_table_is_a_folder_and_every_folder_has_one() -> None:
    """No row names a folder that is gone, and no package lacks its row."""
    named = re.findall(r"^\| `reconciler/([a-z/]+)/` \|", PAGE, re.MULTILINE)
    assert [name for name in named if not (ROOT / "reconciler" / name / "__init__.py").exists()] == []
    assert {name.partition("/")[0] for name in named} == PACKAGES
    below = {folder.parent.name for folder in (ROOT / "reconciler" / "workflow").glob("*/__init__.py")}
    assert {name.partition("/")[2] for name in named if name.startswith("workflow/")} == below


def test_every_box_of_the_picture_is_a_folder() -> None:
    """What the arrows of the picture go through are folders, and every package stands on it."""
    (picture,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    boxes = {box for run in re.findall(r"-([a-z][a-z/, ]*)-", picture) for box in run.split(", ")}
    assert boxes
    assert [box for box in sorted(boxes) if not (ROOT / "reconciler" / box / "__init__.py").exists()] == []
    assert [name for name in sorted(PACKAGES) if not re.search(rf"\b{name}\b", picture)] == []


def test_no_file_of_workflow_is_longer_than_the_page_says() -> None:
    """A verb that grows is cut along its parts, not along its lines."""
    [most] = re.findall(r"^\| `reconciler/workflow/` \|.* No file over (\d+) lines", PAGE, re.MULTILINE)
    lengths = {path.name: path.read_bytes().count(b"\n") for path in (ROOT / "reconciler" / "workflow").rglob("*.py")}
    assert (int(most) <= 250, "planning.py" in lengths) == (True, True)
    assert {name: length for name, length in lengths.items() if length > int(most)} == {}


def test_one_word_is_one_thing() -> None:
    """No two modules give different things one name. The emulator has the vendor's words and knows ours not; a spec has
    the name of its kind.
    """
    named: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        if path.is_relative_to(ROOT / "reconciler" / "emulator"):
            continue
        for match in NAMED.finditer(path.read_text("utf-8")):
            named[match[1] or match[2]].append(path.relative_to(ROOT).as_posix())
    assert len(named) > 500
    assert {name: places for name, places in named.items() if len(places) > 1} == {}


COMPARED = """
    config.reading.project.EnvironmentSettings emulator.settings.AccountSettings judging.rules._Asks
    model.fleet.Standing model.fleet.WaveStanding model.http.Request model.live.Collection model.ports.LockInfo
    model.scenario.Verdict model.spec.Attribute model.spec.RefTo model.values.Lookup model.values.Ref
    model.values.RemoteId probe.experiments.listings.Listing probe.fact.Fact probe.means.Made
    workflow.doctor.account.Check
"""
"""Data classes that are values, keys, or compared with what they were before."""


def test_only_what_is_compared_has_what_compares_it() -> None:
    """Each of the methods that `dataclass` writes is compiled at every start: what is compared or printed nowhere is a
    record (`model.records`).
    """
    made = re.compile(r"^@dataclass(?!_)(?![^\n]*eq=False)[^\n]*\nclass (\w+)", re.MULTILINE)
    whole = {
        ".".join((*path.relative_to(ROOT / "reconciler").with_suffix("").parts, name))
        for path in (ROOT / "reconciler").rglob("*.py")
        for name in made.findall(path.read_text("utf-8"))
    }
    assert whole == set(COMPARED.split())
