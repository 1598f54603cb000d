"""What nobody may see is in no file: not in the state either, where the server stores it in its own way."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.state import Binding
from reconciler.planning.bindings import is_kept, kept
from reconciler.planning.diff import Subject, differences
from reconciler.resources import load_kinds
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

SENT, GOT = "https://hooks.example/t0ken", "https://hooks.example/t0ken/"


def test_rewritten_sensitive_values_are_recognised_by_their_hash() -> None:
    """A URL that the account stores with a slash is no difference, and neither form is in the state."""
    kind = load_kinds()["webhook"]
    stored = {"sent": kept(SENT, "salt", hidden=True), "got": kept(GOT, "salt", hidden=True)}
    assert "t0ken" not in str(stored)
    resource = Resource("webhook.w", "webhook", "w", {"url": SENT})
    binding = Binding(id="1", kind="webhook", rewritten={"url": stored})
    live = Live("webhook", "1", {"url": GOT})
    assert differences(Subject(kind, resource, resource.attrs, binding, live, lambda value: value, "salt")) == []
    other = Live("webhook", "1", {"url": GOT + "x"})
    assert len(differences(Subject(kind, resource, resource.attrs, binding, other, lambda value: value, "salt"))) == 1


def test_plain_values_are_kept_as_they_are() -> None:
    """What may be seen is stored readable, and found again."""
    assert kept(["b", "a"], "salt", hidden=False) == ["b", "a"]
    assert is_kept("x", "x", "salt")
    assert not is_kept("x", kept("y", "salt", hidden=True), "salt")


@pytest.mark.parametrize("after", [False, True], ids=["not sent", "sent"])
def test_a_name_that_is_secret_is_in_no_file_and_found_again(world: World, after: bool) -> None:
    """The create is announced by a hash of the name: when its answer is lost, the object is found by that."""
    world.environ["NAME"] = "canary-name-1"
    world.write("tags: {a: {name: '${secret.NAME}'}}")
    world.dies(1, after=after)
    written = [path.read_text("utf-8", "replace") for path in (world.folder / "state").rglob("*") if path.is_file()]
    assert written
    assert not [text for text in written if "canary" in text]
    world.apply()
    assert [row["tag"] for row in world.rows("tags")] == ["canary-name-1"]
    assert world.plan().empty
    written = [path.read_text("utf-8", "replace") for path in (world.folder / "state").rglob("*") if path.is_file()]
    assert not [text for text in written if "canary" in text]


LOOKS = (
    ("validate",), ("plan", "--detailed-exitcode"), ("plan", "--refresh-only", "--detailed-exitcode"),
    ("drift", "--detailed-exitcode"), ("drift", "--revert", "--detailed-exitcode"), ("drift", "--absorb"),
    ("compare", "a", "b"), ("promote", "--from", "a", "--to", "b"), ("promote", "--from", "b", "--to", "a"),
    ("export",), ("clone", "--from", "a", "--to", "b", "--dry-run"), ("explain", "webhook.w"), ("graph",),
    ("ids", "--lang", "json"), ("coverage",), ("handbook", "--out", "handbook"), ("snapshot", "--out", "a.snap.gz"),
    ("rehearse",), ("doctor",), ("state", "doctor"), ("apply", "--auto-approve"),
)  # fmt: skip
"""Commands that only have to know whether a value is the one that was applied."""


def test_no_command_asks_for_a_secret_that_the_account_still_holds(tmp_path: Path) -> None:
    """Whoever only looks needs no production secret: what was applied last is recognised by its hash, in each command
    alike; where the account holds another value, plan and drift ask for it.
    """
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db"):
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        hook = {
            "name": "W",
            "url": "https://example.org/${secret.HOOK}",
            "events": ["subscribe"],
            "sources": ["public"],
        }
        world.write({"webhooks": {"w": hook}})
        world.set_secrets("config/main.yaml")
        for name in ("a", "b"):
            assert world.cli("-e", name, "apply", "--auto-approve").code == 0
        known, world.environ = world.environ, {}
        for words in LOOKS:
            ran = world.cli(*words)
            assert (ran.code, "HOOK" in ran.err) == (0, False), (words, ran.text)
        (row,) = world.account.rows.all("webhooks")
        world.account.rows.put("webhooks", row["id"], {**row, "url": "https://example.org/another"})
        for words in (("plan", "--detailed-exitcode"), ("drift", "--detailed-exitcode")):
            world.environ = {}
            assert (world.cli(*words).code, "`HOOK` is not set" in world.cli(*words).err) == (3, True)
            world.environ = known
            assert world.cli(*words).code == 2
