"""Nothing is made beside a near twin without a word, whatever its kind."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.desired import Resource
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.nearness import plain
from reconciler.model.plan import Action, Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Expected
from reconciler.model.state import State
from reconciler.model.values import Value
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan
from reconciler.resources import load_kinds
from tests.kinds.samples import value_of
from tests.planning.world import desired
from tests.world import new_world

KINDS = load_kinds()
NAME = "Caf\u00e9 & Bar"
ALMOST: dict[str, Callable[[str], str]] = {
    "case": str.upper,
    "Unicode form": lambda text: unicodedata.normalize("NFD", text),
    "outer blanks": lambda text: f" {text} ",
    "HTML entities": html.escape,
    "characters that cannot be seen": lambda text: f"\u2066{text[0]}\u200b\xad{text[1:]}\ufe0f\u3164",
    "Unicode compatibility form": lambda text: chr(ord(text[0]) + 0xFEE0) + text[1:],
    "inner blanks": lambda text: text.replace(" ", "  "),
}
EXACT = {
    ("webhook", "url"): "a URL is no such text: it has a test of its own",
    ("field", "perstag"): "kept in normal form by the server; what it derives has a test of its own",
}


def identities(kind: Kind) -> list[str]:
    """Return the texts that tell objects of a kind apart."""
    return [
        name
        for name, one in kind.attributes.items()
        if one.shape == "text"
        and not one.choices
        and (kind.name, name) not in EXACT
        and kind.known_as({**sample(kind), name: "one"}) != kind.known_as({**sample(kind), name: "two"})
    ]


def sample(kind: Kind) -> dict[str, Value]:
    """Return attributes with which an object of the kind has every natural key."""
    attributes = {
        name: one for name, one in kind.attributes.items() if name != "parent" or kind.name != "custom_object"
    }
    return {
        name: value_of(kind, one)
        for name, one in attributes.items()
        if one.shape in ("text", "ref") or one.required or one.has(Expected)
    }


NAMED = [
    (name, label)
    for name, kind in KINDS.items()
    if kind.abilities.managed and kind.abilities.creatable and not kind.variants
    for label in identities(kind)
]


def made_beside(kind: Kind, mine: dict[str, Value], theirs: dict[str, Value]) -> Plan:
    """Return the plan of one object, where another one stands in the account."""
    live = Live(kind.name, "8", theirs)
    wanted = desired(Resource(f"{kind.name}.mine", kind.name, "mine", mine))
    seen = Snapshot({name: [] for name in KINDS} | {kind.name: [live]})
    return plan(Inputs(desired=wanted, state=State(lineage="x"), snapshot=seen, kinds=KINDS))


def test_every_kind_that_is_created_has_a_name() -> None:
    """What is not tried below has none that could be nearly another."""
    made = {
        name for name, one in KINDS.items() if one.abilities.managed and one.abilities.creatable and not one.variants
    }
    assert made == {name for name, _ in NAMED}
    assert len(NAMED) > 20


@pytest.mark.parametrize("word", ALMOST)
@pytest.mark.parametrize(("name", "label"), NAMED)
def test_a_create_beside_a_near_twin_is_told(name: str, label: str, word: str) -> None:
    """It is either recognised as that object, or made with a word that says what differs."""
    kind = KINDS[name]
    mine = {one: value for one, value in sample(kind).items() if one not in ("string_id", "perstag") or one == label}
    mine = {**mine, label: NAME}
    theirs = {**mine, label: ALMOST[word](NAME)}
    if label == "string_id":
        theirs["name"] = "here"
    made = made_beside(kind, mine, theirs)
    (change,) = made.changes
    if change.action is Action.CREATE:
        assert any(f"{name}.mine is created beside" in one and word in one for one in made.warnings), made.warnings
    else:
        assert change.live is not None


@pytest.mark.parametrize(("name", "label"), NAMED)
def test_another_name_is_no_twin(name: str, label: str) -> None:
    """The word is for near twins alone."""
    kind = KINDS[name]
    mine = {**sample(kind), label: NAME}
    theirs = {
        one: f"{value} of others" if one in (*identities(kind), "perstag") else value
        for one, value in {**mine, label: "Z"}.items()
        if one != "labels"
    }
    made = made_beside(kind, mine, theirs)
    assert made.changes[0].action is Action.CREATE
    assert not [one for one in made.warnings if "beside" in one]


HOOK: dict[str, Value] = {
    "name": "Hook", "url": "https://h.example/in", "events": ["subscribe"], "sources": ["api"],
}  # fmt: skip
PET: dict[str, Value] = {"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "fields": {}}
VARIABLE: dict[str, Value] = {"tag": "hello", "name": "Hello", "format": "text"}


@pytest.mark.parametrize(
    ("kind", "mine", "theirs", "word"),
    [
        ("webhook", HOOK, {"url": "https://H.Example/in"}, "differs in case only"),
        ("webhook", HOOK, {"name": "hook ", "url": "https://H.example/in"}, "differs in case and outer blanks only"),
        ("webhook", HOOK, {"url": "https://other.example/in"}, ""),
        ("custom_object", PET, {"slug": "animal"}, "has the same label"),
        ("custom_object", PET, {"slug": "animal", "labels": {"singular": "pet", "plural": "x"}}, "differs in case"),
        ("custom_object", PET, {"slug": "animal", "labels": {"singular": "Animal", "plural": "Pets"}}, ""),
        ("personalization", VARIABLE, {"tag": "hi", "name": "hello"}, "differs in case only"),
        ("personalization", VARIABLE, {"tag": "hi", "name": "Hi"}, ""),
    ],
)
def test_what_people_read_is_compared_too(
    kind: str, mine: dict[str, Value], theirs: dict[str, Value], word: str
) -> None:
    """A key that is a code or a digest is near nothing; its text is not printed either."""
    made = made_beside(KINDS[kind], mine, {**mine, **theirs})
    assert [one.action for one in made.changes] == [Action.CREATE]
    told = [one for one in made.warnings if f"{kind}.mine is created beside" in one]
    assert [word in one for one in told] == [True] * bool(word)
    assert not [one for one in told if "https:" in one]


def test_the_tag_that_the_server_derives_is_compared() -> None:
    """Both readings of how it is derived, against explicit ones (row 19 of the API page)."""
    field = KINDS["field"]
    for theirs in ("ANOTHER_TITLE", "ANOTHERTITLE"):
        made = made_beside(
            field,
            {"title": "Another Title", "type": "text"},
            {"title": "Mine", "perstag": theirs, "type": "text"},
        )
        assert any(f"derive the perstag `{theirs}`" in one for one in made.warnings)


def test_files_with_near_twins_are_valid_with_a_warning(tmp_path: Path) -> None:
    """The same look without an account."""
    with new_world(tmp_path) as world:
        world.write(
            'lists:\n  a: {name: "R&D", sender_url: "https://x.example", sender_reminder: "x"}\n'
            '  b: {name: "r&amp;d ", sender_url: "https://x.example", sender_reminder: "x"}\n'
            'fields:\n  c: {title: "Cafe\\u0301", type: text}\n  d: {title: "Caf\\u00e9", type: text}\n'
            "  e: {title: other, type: text, perstag: plan_tier}\n  f: {title: Plan Tier, type: text}\n"
            "webhooks:\n  g: {name: Hook, url: 'https://h.example/s3', events: [subscribe], sources: [api]}\n"
            "  h: {name: Hook, url: 'https://H.EXAMPLE/s3', events: [subscribe], sources: [api]}\n"
            "custom_objects:\n  i: {slug: pet, labels: {singular: Pet, plural: Pets}, fields: {}}\n"
            "  j: {slug: animal, labels: {singular: Pet, plural: Pets}, fields: {}}\n"
        )
        ran = world.cli("validate")
        assert ran.code == 0, ran.text
        text = " ".join(ran.text.split())
        assert "`list.b` may mean the same list as `list.a`: they differ in HTML entities" in text
        assert "`field.d` may mean the same contact field as `field.c`: they differ in Unicode form only" in text
        assert "the server may derive the perstag `PLAN_TIER` for both" in text
        assert "`webhook.h` may mean the same webhook as `webhook.g`: they differ in case only" in text
        assert (
            "`custom_object.j` may mean the same custom object as `custom_object.i`: they have the same label" in text
        )


def test_a_refuge_that_cannot_work_is_an_error_of_the_files(tmp_path: Path) -> None:
    """`validate` knows it without an account, at the place where it is said."""
    with new_world(tmp_path) as world:
        world.write(
            "pipelines:\n  a:\n    title: A\n    currency: usd\n    stages:\n      s: {title: S, lifecycle: "
            "{on_destroy: {move_deals_to: stage.b.t}}}\n"
            "  b: {title: B, currency: usd, stages: {t: {title: T}}}\n"
        )
        ran = world.cli("validate")
        assert ran.code == 3
        assert "impossible-evacuation" in ran.text
        assert "stage.b.t is in another pipeline" in " ".join(ran.text.split())
        assert ":6:" in ran.text


@pytest.mark.parametrize("refuge", ["tag.v", "pipeline.a", "stage.a.t", "task_type.u"])
@pytest.mark.parametrize(("holder", "what"), [("stage", "move_deals_to"), ("task_type", "move_tasks_to")])
def test_a_refuge_is_of_the_kind_that_is_deleted(tmp_path: Path, holder: str, what: str, refuge: str) -> None:
    """Deals move to a stage, tasks to a type of tasks, and to nothing else."""
    leave = {"title": "S", "lifecycle": {"on_destroy": {what: refuge}}}
    with new_world(tmp_path) as world:
        world.write({
            "tags": {"v": {"name": "V"}},
            "task_types": {"s": leave if holder == "task_type" else {"title": "S"}, "u": {"title": "U"}},
            "pipelines": {"a": {"title": "A", "currency": "usd", "stages": {
                "s": leave if holder == "stage" else {"title": "S"}, "t": {"title": "T"},
            }}},
        })  # fmt: skip
        ran = world.cli("validate")
        assert ran.code == (0 if refuge.startswith(f"{holder}.") else 3), ran.text
        assert (f"{refuge} is no" in " ".join(ran.text.split())) == bool(ran.code)


@pytest.mark.parametrize("text", ["VIP", " Big  spender ", "a\tb", "A &amp; B", "50% off", ""])
def test_the_short_way_is_the_long_one(text: str) -> None:
    """Most names need no tables of Unicode."""
    assert plain(text) == plain(f"{text}\u200b") == plain(f"\ufeff{text}")
