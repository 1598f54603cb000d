"""The contract against circles of imports finds one that only annotations close."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
FIRST = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {package}.second import B\nclass A: ...\n"


@pytest.mark.parametrize(("second", "kept"), [("from {package}.first import A\n", False), ("", True)])
def test_a_circle_of_annotations_is_a_circle(tmp_path: Path, second: str, kept: bool) -> None:
    """As the project's own contract is written, for a package that is made here."""
    contracts = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [contract] = [one for one in contracts if one["type"] == "acyclic_siblings"]
    assert contract["ancestors"] == ["reconciler", "reconciler.**"]
    package = tmp_path / "made"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "first.py").write_text(FIRST.format(package="made"))
    (package / "second.py").write_text(second.format(package="made") + "class B: ...\n")
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = made\ncache_dir = None\n"
        "[importlinter:contract:circles]\nname = circles\ntype = acyclic_siblings\nancestors =\n    made\n    made.**\n"
    )
    program = "from importlinter.cli import lint_imports_command as main; main()"
    command = [sys.executable, "-c", program, "--no-cache"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ("circles KEPT" in ran.stdout, ran.returncode == 0) == (kept, kept), ran.stdout + ran.stderr
