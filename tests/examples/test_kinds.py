"""Every kind has an example, and every example works."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.resources import load_kinds
from scripts.run_docs import Session

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples" / "kinds"
PROJECT = "version: 1\nenvironments: {demo: {url: 'emulator:state/demo-account.db'}}\n"


def test_every_kind_has_an_example_and_every_example_a_kind() -> None:
    """`examples/kinds/<kind>.yaml` exists for each kind, and nothing else lies there."""
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == set(load_kinds())


@pytest.mark.parametrize("kind", sorted(load_kinds()))
def test_the_example_of_a_kind_applies_and_settles(kind: str, tmp_path: Path) -> None:
    """Validate, apply, and a plan with nothing to do; a kind that can be declared is declared."""
    session = Session(tmp_path)
    session.write("reconciler.yaml", PROJECT)
    session.write("config/example.yaml", (EXAMPLES / f"{kind}.yaml").read_text("utf-8"))
    for command in ("validate", "apply --auto-approve --quiet", "plan --detailed-exitcode"):
        output = session.run(f"reconciler {command}")
        assert session.code == 0, output
    if load_kinds()[kind].abilities.managed:
        assert f"{kind}." in session.run("reconciler state list")
