"""Source lines in messages: what is wrong is shown, secrets that stand on the same line are not."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.diagnostics import Diagnostic, Position
from tests.world import World

HOOK = (
    "webhooks: {crm: {nam: CRM, url: 'https://joe:c4n4ry1@h.example/in?key=c4n4ry2&to=${var.x}#c4n4ry3', "
    "events: [subscribe], sources: [admin]}}"
)
PROJECT = (
    "version: 1\nenvironments: {demo: {url: 'emulator:a.db', token: c4n4ry4, tokn: x}}\ndefault_environment: demo\n"
)


def test_a_source_line_is_shown_without_the_secrets_on_it(world: World) -> None:
    """Passwords and query values of links and a token become stars; the caret moves along."""
    world.write(HOOK)
    said = world.cli("validate").err
    assert "c4n4ry" not in said
    lines = said.splitlines()
    carets = [(source.find("nam:"), caret.find("^^^")) for source, caret in pairwise(lines) if "^^^" in caret]
    assert any(source == caret for source, caret in carets)
    assert "c4n4ry" not in world.cli("validate", "--format", "json").out
    world.write(PROJECT, "reconciler.yaml")
    said = world.cli("validate").err
    assert "tokn" in said
    assert "c4n4ry" not in said


def test_nothing_tells_how_long_a_credential_is(world: World) -> None:
    """Neither stars nor carets, nor what machines read, whether its place is known or its value."""
    said = set()
    for key in ("c4n4ry-8x", "c4n4ry-" + "8x" * 40):
        world.environ["AWS_SECRET_ACCESS_KEY"] = key
        world.write(
            f"version: 1\nenvironments: {{demo: {{url: 'emulator:a.db', token: ['{key}']}}}}\nenv:\n  - '{key}'\n",
            "reconciler.yaml",
        )
        forms = [world.cli("validate", "--format", form) for form in ("text", "json", "sarif", "github", "gitlab")]
        said.add("\n".join(ran.text for ran in forms))
    assert len(said) == 1
    assert "^^^" in said.pop()


@given(st.text("xy:' ", max_size=12), st.text("ab", min_size=1, max_size=6), st.text("xy:' ", max_size=12), st.data())
def test_a_caret_moves_with_what_it_means(before: str, held: str, after: str, data: st.DataObject) -> None:
    """What stands left and right of stars is meant in its new place; nothing is outside of the line."""
    line, masked = before + held + after, before + "***" + after
    start = data.draw(st.integers(0, len(line)))
    length = data.draw(st.integers(1, 5))
    problem = Diagnostic("m", Position("f", 1, start + 1), excerpt=line, length=length).showing(masked)
    first = start - problem.shift
    assert 0 <= first <= len(masked)
    if start + length <= len(before):
        assert (first, problem.length) == (start, length)
    if start >= len(before) + len(held):
        assert len(masked) - first == len(line) - start
        assert problem.length == length
