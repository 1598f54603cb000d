"""`emulator seed` and `emulator reset` mean the account that the other commands mean."""

from __future__ import annotations

import pytest

from tests.world import World

PROJECT = """\
version: 1
environments:
  demo: {url: "emulator:state/account.db"}
  sandbox: {url: "emulator:state/sandbox.db"}
  production: {url: "https://acme.api-us1.com", token: "k"}
default_environment: demo
"""


@pytest.mark.parametrize(
    ("options", "file"),
    [
        ((), "state/account.db"),
        (("--env", "sandbox"), "state/sandbox.db"),
        (("--env", "demo", "--db", "state/other.db"), "state/other.db"),
    ],
)
def test_the_account_of_the_environment_is_seeded_and_reset(world: World, options: tuple[str, ...], file: str) -> None:
    """`--env` and the project's `url` decide; `--db` names a file beside them."""
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: [{tag: Seeded}]", "seed.yaml")
    before, after = options[:2], options[2:]
    seed = world.cli(*before, "emulator", "seed", str(world.folder / "seed.yaml"), *after)
    assert seed.code == 0, seed.text
    assert f"Seeded {file}" in seed.out
    reset = world.cli(*before, "emulator", "reset", *after)
    assert (reset.code, reset.out) == (0, f"Reset {file}.\n")


def test_a_real_account_is_neither_seeded_nor_reset(world: World) -> None:
    """The environment is named, and what to do instead."""
    world.write(PROJECT, "reconciler.yaml")
    ran = world.cli("--env", "production", "emulator", "reset")
    assert ran.code == 1, ran.text
    assert "`production` is not kept in a file of the emulator" in ran.err
    assert "--db" in ran.err


def test_without_a_project_the_demo_account_is_meant(world: World) -> None:
    """As in the documentation of the emulator."""
    (world.folder / "reconciler.yaml").unlink()
    ran = world.cli("emulator", "reset")
    assert (ran.code, ran.out) == (0, "Reset state/demo-account.db.\n")
