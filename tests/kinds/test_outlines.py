"""What is kept of kinds that are not in use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler import resources
from reconciler.model.catalog import Catalog, Outline, informed, outline_of, outlines
from reconciler.model.facts import Facts
from reconciler.model.kind import Kind, Kinds
from reconciler.planning.rosters import knots
from reconciler.resources import load_kinds
from reconciler.resources import outlines as generated
from reconciler.workflow.opening.connecting import paths_of
from scripts import write_outlines

PROJECT = "version: 1\nenvironments: {dev: {url: 'emulator:account.db'}}\n"
LOADED = """
import sys
from reconciler.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted(name for name, module in sys.modules.items()
                  if name.startswith("reconciler.resources.") and hasattr(module, "KIND")))
"""


def _all() -> Mapping[str, Kind]:
    return dict(load_kinds())


def test_what_is_kept_is_what_the_kinds_say() -> None:
    """The table in the tree is the one that is generated from the kinds, which a stale one is not."""
    assert Path(generated.__file__).read_text("utf-8") == write_outlines.text(resources.modules(), resources.outlined())
    assert {name: outline_of(kind) for name, kind in _all().items()} == dict(outlines(load_kinds()))


def test_what_is_asked_of_all_kinds_is_the_same_of_loaded_ones() -> None:
    """The order of planning, and which kind a listing belongs to, do not depend on what was loaded."""
    assert knots(load_kinds()) == knots(_all())
    assert paths_of(load_kinds()) == paths_of(_all())


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_kinds_that_are_not_in_use_are_not_loaded(command: str, tmp_path: Path) -> None:
    """Of a project with tags, the others are named and not loaded: a tenth of a small plan."""
    (tmp_path / "reconciler.yaml").write_text(PROJECT, "utf-8")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "tags.yaml").write_text("tags: {vip: {}}\n", "utf-8")
    given = [sys.executable, "-c", LOADED, "--chdir", str(tmp_path), "-e", "dev", command]
    done = subprocess.run(given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "reconciler.resources.tag", done.stdout + done.stderr


def test_a_kind_that_says_something_else_is_not_used() -> None:
    """An old table would plan with what a kind no longer says."""
    old = {name: outline._replace(section="others") for name, outline in generated.OUTLINES.items()}
    with pytest.raises(RuntimeError, match="make generate"):
        Catalog(old, lambda name: load_kinds()[name])["tag"]


def test_a_new_module_is_looked_at_before_anything_was_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the table does not know of each module, it is not used."""
    asked: list[str] = []

    def outlined() -> Mapping[str, Outline]:
        asked.append("all")
        return generated.OUTLINES

    monkeypatch.setattr(resources, "outlined", outlined)
    monkeypatch.setattr(resources, "MODULES", resources.modules() - {"tag"})
    load_kinds.cache_clear()
    try:
        assert list(load_kinds()) == list(generated.OUTLINES)
    finally:
        load_kinds.cache_clear()
    assert asked == ["all"]


@pytest.mark.parametrize("kinds", [load_kinds(), _all()], ids=["kept", "loaded"])
def test_facts_reach_every_kind(kinds: Kinds) -> None:
    """Whenever a kind is loaded; those of another account do not reach these."""
    facts = Facts(known={"unique.tags": "yes"}, probed={"unique.tags": "yes"})
    told = informed(kinds, facts)
    assert [kind.facts for kind in told.values()] == [facts] * len(told)
    assert kinds["tag"].facts == Facts()
