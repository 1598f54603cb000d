"""What nobody may see is in no file: not in the state either, where the server stores it in its own way."""

from __future__ import annotations

import pytest

from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.state import Binding
from reconciler.planning.bindings import is_kept, kept
from reconciler.planning.diff import Subject, differences
from reconciler.resources import load_kinds
from tests.world import World

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
