"""Ids in the program's own files obey the grammar of their collection, or the file is damaged and says what mends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.document import digest
from reconciler.model.identity import obeys
from reconciler.resources import load_kinds
from tests.world import World, new_world

KINDS = load_kinds()
UUID = "8d6f2a1e-0b7c-4c55-9d5a-2f1f6f0c9b11"
NEVER: list[Any] = ["", ".", "..", "a\nb", "\ud800", "x" * 501]
"""Ids of no collection at all."""
NO_NUMBER = [*NEVER, "1?x=", "../tags/2", "1#", "1 2", "1%2F2", "-1", "1.5", "9" * 40, "abc", UUID]
NO_WORD = [*NEVER, "1?x=", "../tags/2", "1#", "1 2", "1%2F2", "a/b", "é", "x" * 65]
WRONG = {"number": NO_NUMBER, "word": NO_WORD, "text": NEVER}
RIGHT = {
    "number": ["1", "405"],
    "word": ["1", UUID, "caller-chosen_1"],
    "text": ["1", "My event", "a/b", "shop.example"],
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_knows_its_ids(name: str) -> None:
    """By the grammar of its listing; of settings, the keys that exist."""
    kind = KINDS[name]
    if kind.variants:
        assert all(kind.fits(key) for key in kind.variants)
        assert not kind.fits("1")
        return
    grammars = {kind.reading.collections[0].ids} | {
        one.ids for one in [kind.reading.collections[0].fallback] if one is not None
    }
    loosest = next(one for one in ("text", "word", "number") if one in grammars)
    assert all(kind.fits(one) for one in RIGHT[loosest])
    assert not any(kind.fits(one) for one in WRONG[loosest])


def test_uuids_and_chosen_ids_have_a_grammar_of_their_own() -> None:
    """Ids of schemas are UUIDs or letters, digits, dashes and underscores (section 1.4)."""
    assert KINDS["custom_object"].reading.collections[0].ids == "word"
    assert obeys(UUID, "word")
    assert not obeys(UUID, "number")
    assert not obeys("1?x=", "word")


@pytest.fixture(scope="module", name="used")
def a_used_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A project with a version of its state behind it, a saved plan and a snapshot."""
    with new_world(tmp_path_factory.mktemp("ids") / "project") as world:
        for text in ("{a: {}}", "{a: {}, b: {}}"):
            world.write(f"tags: {text}\ntracked_events: {{e: {{name: e}}}}")
            assert world.cli("apply", "--auto-approve").code == 0
        world.write("tags: {a: {description: z}, b: {}}\ntracked_events: {e: {name: e}}")
        assert world.cli("plan", "--out", "p.json").code == 0
        assert world.cli("snapshot", "--out", "s.json").code == 0
        yield world


def changed(path: Path, change: Callable[[Any], None]) -> str:
    """Change a JSON file; returns what it held."""
    before = path.read_text("utf-8")
    document = json.loads(before)
    change(document)
    path.write_text(json.dumps(document), "utf-8")
    return before


@pytest.mark.parametrize("wrong", ["1?x=", "..", "../lists/1", "", "1/2", "one"])
def test_a_wrong_id_in_the_state_is_damage_of_the_state(used: World, wrong: str) -> None:
    """Of a binding and of an open create alike, for every command; the command that is named brings back what was."""
    state = used.folder / "state/demo.json"
    intent = {"address": "tag.x", "kind": "tag", "natural_key": [], "known": [wrong]}
    for change in (
        lambda document: document["resources"]["tag.a"].update(id=wrong),
        lambda document: document["intents"].update({"tag.x": intent}),
    ):
        before = changed(state, change)
        used.forget()
        for words in ("plan", "apply --auto-approve", "state list", "explain tag.a"):
            ran = used.cli(*words.split())
            assert ran.code == 1, ran.text
            assert "state/demo.json is corrupt" in ran.err
            assert "is not an id of a 'tag'" in " ".join(ran.err.split())
            assert "`reconciler state restore " in " ".join(ran.err.split())
        assert used.requests() == []
        state.write_text(before, "utf-8")


def test_what_is_named_mends_the_state(used: World) -> None:
    """`state restore` over a state whose ids are wrong."""
    state = used.folder / "state/demo.json"
    before = changed(state, lambda document: document["resources"]["tag.a"].update(id="1?x="))
    said = " ".join(used.cli("plan").err.split())
    serial = said.partition("`reconciler state restore ")[2].partition("`")[0]
    assert used.cli("state", "restore", serial).code == 0
    assert used.cli("state", "list").code == 0
    state.write_text(before, "utf-8")


def test_a_name_is_an_id_where_names_are(used: World) -> None:
    """An event is told by its name, whatever stands in it; what no name can be is damage."""
    state = used.folder / "state/demo.json"
    before = changed(state, lambda document: document["resources"]["tracked_event.e"].update(id="a/b?c"))
    assert used.cli("state", "list").code == 0
    changed(state, lambda document: document["resources"]["tracked_event.e"].update(id=".."))
    assert used.cli("state", "list").code == 1
    state.write_text(before, "utf-8")


def test_a_wrong_id_in_a_journal_is_damage_of_the_journal(used: World) -> None:
    """Also in its last line, which is whole: no crash cut it off."""
    binding = {"id": "1?x=", "kind": "tag"}
    journal = used.folder / "state/demo.json.journal"
    journal.write_text(json.dumps({"op": "bind", "run": "r", "address": "tag.a", "binding": binding}), "utf-8")
    ran = used.cli("plan")
    assert ran.code == 1, ran.text
    assert "journal" in ran.err
    assert "is not an id of a 'tag'" in " ".join(ran.err.split())
    assert "move it away" in " ".join(ran.err.split())
    journal.unlink()


def test_a_wrong_id_in_a_record_of_a_run_is_damage_of_it(used: World) -> None:
    """An undo reads what to bring back from there."""
    path = min(one for one in (used.folder / "state").rglob("*.json") if "runs" in str(one.parent))
    before = changed(path, lambda document: document["steps"][0].update(id="../lists/1"))
    ran = used.cli("runs", "show", path.stem)
    assert ran.code == 1, ran.text
    assert f"the record of the run {path.stem}" in ran.err
    assert "reconciler state history" in " ".join(ran.err.split())
    path.write_text(before, "utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["changes"][0].update(id="1?x="),
        lambda document: document["changes"][0].update(known=[".."]),
        lambda document: document["ids"].update({"tag.b": "../lists/1"}),
        lambda document: document["changes"][0]["desired"].update(x={"$id": "1?x=", "kind": "tag"}),
    ],
    ids=["id", "known", "ids", "inside"],
)
def test_a_wrong_id_in_a_plan_is_no_plan(used: World, change: Callable[[Any], None]) -> None:
    """Also where somebody gave it a digest that fits."""
    path = used.folder / "p.json"
    document = json.loads(path.read_text("utf-8"))
    change(document)
    raw = {**document, "digest": ""}
    other = used.folder / "forged.json"
    other.write_text(json.dumps({**raw, "digest": digest(raw)}), "utf-8")
    used.forget()
    for words in ("show forged.json", "apply forged.json"):
        ran = used.cli(*words.split())
        assert ran.code == 6, ran.text
        assert "is not an id of a 'tag'" in " ".join(ran.err.split())
        assert "reconciler plan --out FILE" in " ".join(ran.err.split())
    assert used.requests() == []


def test_a_wrong_id_in_a_snapshot_makes_its_kind_unknown(used: World) -> None:
    """It is read as an account is."""
    path = used.folder / "s.json"

    def change(document: Any) -> None:
        for one in document["exchanges"]:
            if one["path"] == "/tags":
                one["body"]["tags"][0]["id"] = "1?x="

    before = changed(path, change)
    ran = used.cli("plan", "--against", "s.json")
    assert ran.code == 4, ran.text
    assert "GET /tags answered with an id" in " ".join(ran.text.split())
    path.write_text(before, "utf-8")
