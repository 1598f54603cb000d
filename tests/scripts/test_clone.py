"""What a clone brings for those who work on it: targets that exist, hooks without hosts, every extra in the set-up."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

TARGET = re.compile(r"\bmake ((?:--[\w-]+ )*(?:[a-z][a-z-]* ?)+)")
NAMING = ["CONTRIBUTING.md", "README.md", ".ci/run", ".pre-commit-config.yaml"]


def targets(root: Path) -> set[str]:
    """Return the targets of the Makefile, those of the variable CHECKS among them."""
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", (root / "Makefile").read_text("utf-8"), re.M))


def commands(text: str) -> list[str]:
    """Return the command lines of a text: code between backquotes, fences, hooks, lines of a script."""
    spans = re.findall(r"`+([^`]+)`+", text)
    return [*spans, *(line.split("entry: ")[-1].strip() for line in text.splitlines())]


@pytest.mark.parametrize("name", NAMING)
def test_targets_that_are_named_exist(project_root: Path, name: str) -> None:
    """`make X` on a page, in a hook or in a script names a target of the Makefile."""
    named = {
        word
        for line in commands((project_root / name).read_text("utf-8"))
        if (found := TARGET.match(line))
        for word in found.group(1).split()
        if not word.startswith("--")
    }
    assert named
    assert named <= targets(project_root)


def test_hooks_before_a_commit_fetch_nothing(project_root: Path) -> None:
    """All repositories of the pre-commit file are local, and each hook runs a program of the clone."""
    content: dict[str, Any] = yaml.safe_load((project_root / ".pre-commit-config.yaml").read_text("utf-8"))
    assert {repository["repo"] for repository in content["repos"]} == {"local"}
    hooks = [hook for repository in content["repos"] for hook in repository["hooks"]]
    assert {hook["id"] for hook in hooks} >= {"lint", "format", "types", "layers", "links"}
    for hook in hooks:
        assert (hook["language"], hook["pass_filenames"]) == ("system", False)
        assert "additional_dependencies" not in hook


def test_what_tests_use_is_a_group_and_no_extra(project_root: Path) -> None:
    """The published extras are features; `make setup` installs all of them, and the group `dev`."""
    content = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))
    extras = set(content["project"]["optional-dependencies"])
    assert "dev" not in extras
    assert content["dependency-groups"]["dev"]
    makefile = (project_root / "Makefile").read_text("utf-8")
    [installed] = re.findall(r"^EXTRAS := (\S+)$", makefile, re.M)
    assert set(installed.split(",")) == extras
    assert "'.[$(EXTRAS)]' --group dev" in makefile
