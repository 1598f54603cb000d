"""Decoding is checked: what no declaration says in full is named by every command, and no update makes it poorer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.environments.shapes import LOSSLESS, LOSSY, NESTED
from tests.environments.test_export import files_of, nothing_to_do
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

REFUSED = ("condition in no group", "condition without fields", "source that is empty", "object that is empty")
"""Shapes that the emulator answers and does not take [SEG]."""
NAMED = ("a tag that is gone", "an id that is a number", "unknown property", "another category")
"""Shapes of which a clone leaves out a part, by name."""
COMPUTED = {"segment_hash", "updated_date", "created_date", "hash", "hash_simple", "user_id"}
DECLARED = """
segments:
  loyal:
    name: Loyal
    description: {description}
    groups: [{{conditions: [{{object: contact, fields: [{{name: email, operator: contains, value: acme}}]}}]}}]
{more}"""


def stored(world: World) -> Any:
    """Return the segment as the account holds it, without what a save computes anew."""
    (row,) = world.account.rows.all("segmentsV2")

    def bare(one: Any) -> Any:
        if isinstance(one, Mapping):
            return {name: bare(value) for name, value in one.items() if name not in COMPUTED}
        return [bare(value) for value in one] if isinstance(one, list) else one

    return bare(row)


@pytest.fixture(name="two")
def two_accounts(tmp_path: Path) -> Iterator[World]:
    """A project with two environments, the second of them empty."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db"):
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        yield world


@pytest.mark.off_contract
@pytest.mark.parametrize("shape", LOSSLESS)
def test_a_segment_that_can_be_said_survives_export_and_update(world: World, shape: str) -> None:
    """The plan after its export is empty, and an edit of its description changes nothing else of it."""
    world.account.seed({"segmentsV2": [LOSSLESS[shape]]})
    world.write("{}")
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    assert "left out" not in ran.text, ran.text
    nothing_to_do(world)
    assert world.cli("validate").code == 0
    for word in ("folder", "category"):
        told = LOSSLESS[shape].get(word, "AUDIENCE").lower() != "audience"
        assert (word in ran.text) == told, ran.text
    before = stored(world)
    path = world.folder / "config/segments.yaml"
    path.write_text(path.read_text().replace("Those that stay", "Those that we like"))
    assert world.plan().lines == ["update segment.loyal (description)"]
    world.apply()
    assert stored(world) == {**before, "description": "Those that we like"}
    nothing_to_do(world)


@pytest.mark.parametrize("shape", [name for name in LOSSLESS if name not in NAMED])
def test_a_segment_that_can_be_said_is_cloned_whole(two: World, shape: str) -> None:
    """The copy says what the original says."""
    two.account.seed({"segmentsV2": [LOSSLESS[shape]]})
    ran = two.cli("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    said = json.loads(two.cli("compare", "a", "b", "--format", "json").out)
    assert said["changes"] == []
    assert two.cli("clone", "--from", "b", "--to", "a", "--auto-approve").text.count("No changes") == 1


@pytest.mark.off_contract
@pytest.mark.parametrize("shape", LOSSY)
def test_a_segment_that_cannot_be_said_is_named_and_never_made_poorer(world: World, shape: str) -> None:
    """Export leaves it out by name; declared by hand, its description can be changed and its logic cannot."""
    row = LOSSY[shape]
    world.account.seed({"segmentsV2": [row]})
    world.write("{}")
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    assert "Segment `Loyal` (id aaaa) is left out: " in ran.text, ran.text
    assert "segments:" not in "".join(files_of(world.folder).values())
    before = stored(world)
    world.write(DECLARED.format(description="Changed", more=""))
    plan = world.cli("plan")
    assert plan.code == 7 or "(groups)" not in " ".join(world.plan().lines), plan.text
    if plan.code == 7:
        assert "a write would destroy it" in plan.text
        assert world.cli("apply", "--auto-approve", "--quiet").code == 7
        assert stored(world) == before
        kept = [name for name in ("groups", "match") if f"`{name}`" in plan.text or name in plan.text]
        world.write(
            DECLARED.format(description="Changed", more=f"    lifecycle: {{ignore_changes: {json.dumps(kept)}}}\n")
        )
        assert world.plan().lines == ["update segment.loyal (description)"]
    if shape not in REFUSED:
        world.apply()
        assert stored(world) == {**before, "description": "Changed"}
        planned = world.plan()
        assert planned.lines == []
        ignored = plan.code == 7
        assert ignored != any("segment.loyal" in line for line in planned.document.warnings), "named unless ignored"


@pytest.mark.parametrize("shape", LOSSY)
def test_a_clone_and_a_comparison_name_a_segment_that_cannot_be_said(two: World, shape: str) -> None:
    """A clone does not write the poorer one; a comparison says that it cannot see all of it."""
    two.account.seed({"segmentsV2": [LOSSY[shape]]})
    ran = two.cli("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    assert "Segment `Loyal` (id aaaa) is left out: " in ran.text, ran.text
    compared = two.cli("compare", "a", "b")
    assert "Not compared: a: Segment `Loyal` (id aaaa) is left out: " in compared.text, compared.text
    promoted = two.cli("promote", "--from", "a", "--to", "b")
    assert "Segment `Loyal` (id aaaa) is left out: " in promoted.text, promoted.text


@pytest.mark.parametrize("name", NESTED)
def test_parts_of_another_form_are_named_by_each_command(two: World, name: str) -> None:
    """Export and its empty plan, clone and compare: what cannot be said is said to be so."""
    kind, seed, word = NESTED[name]
    two.account.seed(seed)
    ran = two.cli("export")
    assert ran.code == 0, ran.text
    assert word in ran.text, ran.text
    assert two.cli("validate").code == 0
    nothing_to_do(two)
    before = files_of(two.folder)
    assert two.cli("export").code == 0
    assert files_of(two.folder) == before
    (two.folder / "state/a.json").unlink()
    for path in (two.folder / "config").iterdir():
        path.unlink()
    two.write("{}")
    cloned = two.cli("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert cloned.code == 0, cloned.text
    assert word in cloned.text, cloned.text
    compared = two.cli("compare", "a", "b")
    assert f"{kind}." in compared.text, compared.text
    assert word in compared.text, compared.text


@pytest.mark.off_contract
def test_an_update_keeps_what_it_does_not_understand(world: World) -> None:
    """A schema is saved as a whole: what nobody declares of a field stays in it."""
    _, seed, _ = NESTED["custom object field"]
    world.account.seed(seed)
    world.write("{}")
    assert world.cli("export").code == 0
    path = world.folder / "config/custom_objects.yaml"
    path.write_text(path.read_text().replace("singular: F", "singular: G"))
    world.apply()
    (row,) = world.account.rows.all("schemas")
    assert row["fields"][0]["placeholder"] == "x"
    assert row["fields"][0]["labels"]["singular"] == "G"
    assert world.plan().empty


def test_absorbing_writes_no_poorer_declaration(world: World) -> None:
    """What drifted into a form that no declaration says is refused by name, and the file stays as it is."""
    world.write(DECLARED.format(description="x", more=""))
    world.apply()
    (row,) = world.account.rows.all("segmentsV2")
    rich = LOSSY["unknown key of a test"]["segment_conditions"]
    rich = [{**rich[0], "fields": [{**rich[0]["fields"][0], "value": "other"}]}]
    world.account.rows.put("segmentsV2", row["id"], {**row, "segment_conditions": rich})
    before = files_of(world.folder)
    ran = world.cli("drift", "--absorb")
    assert "negate" in ran.text, ran.text
    assert files_of(world.folder) == before


def test_a_clone_tries_nothing_that_an_export_leaves_out(two: World) -> None:
    """No name, no events, disabled: each is named, and the clone is complete without them."""
    two.account.seed(
        {
            "lists": [{"name": "", "stringid": "nameless"}, {"name": "News", "stringid": "news",
                       "sender_url": "https://x.example", "sender_reminder": "r"}],
            "webhooks": [{"name": "Deaf", "url": "https://h.example/", "events": [], "sources": ["public"]}],
            "dealTasktypes": [{"id": "81", "title": "Fax", "status": "1"}],
        }
    )  # fmt: skip
    ran = two.cli("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    for line in ("List (id ", "Webhook `Deaf` (id ", "Task type `Fax` (id 81) is left out: it is switched off"):
        assert line in ran.text, ran.text
    assert "No changes." in two.cli("clone", "--from", "a", "--to", "b", "--auto-approve").text
