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
    assert ran.code == 3, ran.text
    assert "`production` is not kept in a file of the emulator" in ran.err
    assert "--db" in ran.err


@pytest.mark.parametrize(
    ("project", "options", "file"),
    [
        (PROJECT, (), "state/account.db"),
        (PROJECT, ("--env", "sandbox"), "state/sandbox.db"),
        (PROJECT, ("--env", "sandbox", "--db", "state/other.db"), "state/other.db"),
        (PROJECT.replace("environment: demo", "environment: production"), (), "state/demo-account.db"),
        (PROJECT.replace("default_environment: demo", ""), (), "state/demo-account.db"),
        ("version: 1\nenvironments: {only: {url: 'emulator:state/only.db'}}\n", (), "state/only.db"),
        (PROJECT, ("--env", "production"), None),
    ],
)
def test_the_account_of_the_environment_is_served(
    world: World, monkeypatch: pytest.MonkeyPatch, project: str, options: tuple[str, ...], file: str | None
) -> None:
    """The same account as is seeded; beside a project of a real account, the one for want of a project."""
    served: list[str] = []
    monkeypatch.setattr("reconciler.emulator.serve", lambda path, *rest: served.append(str(path)))
    world.write(project, "reconciler.yaml")
    ran = world.cli("emulator", "serve", "--port", "0", *options)
    assert (ran.code, served) == ((3, []) if file is None else (0, [str(world.folder / file)])), ran.text


def test_without_a_project_the_demo_account_is_meant(world: World) -> None:
    """As in the documentation of the emulator."""
    (world.folder / "reconciler.yaml").unlink()
    ran = world.cli("emulator", "reset")
    assert (ran.code, ran.out) == (0, "Reset state/demo-account.db.\n")
