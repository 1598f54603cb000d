"""Source lines in messages: what is wrong is shown, secrets that stand on the same line are not."""

from __future__ import annotations

from itertools import pairwise

from tests.world import World

HOOK = (
    "webhooks: {crm: {nam: CRM, url: 'https://joe:c4n4ry1@h.example/in?key=c4n4ry2&to=${var.x}#c4n4ry3', "
    "events: [subscribe], sources: [admin]}}"
)
PROJECT = (
    "version: 1\nenvironments: {demo: {url: 'emulator:a.db', token: c4n4ry4, tokn: x}}\ndefault_environment: demo\n"
)


def test_a_source_line_is_shown_without_the_secrets_on_it(world: World) -> None:
    """Passwords and query values of links and a token become stars of the same length; the caret stays in its place."""
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
