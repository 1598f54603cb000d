"""Regenerate the files that are generated from models and commands, and report those in the tree that are stale.

Usage: `python -m scripts.check_generated [--write]`. Each generator is a command that gets a folder and fills it.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Generator:
    """A folder of the tree all of whose files come from one command; `module` must exist for it to run."""

    folder: str
    module: str
    arguments: tuple[str, ...]

    @property
    def exists(self) -> bool:
        """Whether the module that generates is part of the tree."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False

    def run(self, target: Path) -> None:
        """Fill the target folder; raises CalledProcessError when the command fails."""
        command = [sys.executable, "-m", *self.arguments, str(target)]
        subprocess.run(command, check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


GENERATORS = (
    Generator("schemas", "reconciler.cli.schema", ("reconciler", "schema", "--out")),
    Generator("docs/reference", "scripts.write_reference", ("scripts.write_reference",)),
    Generator("reconciler/render/terms", "scripts.write_terms", ("scripts.write_terms",)),
    Generator("reconciler/resources/outlines", "scripts.write_outlines", ("scripts.write_outlines",)),
)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by relative path, without what Python keeps; none when the folder is missing."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.parent.name != "__pycache__")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def differences(folder: str, present: dict[str, bytes], fresh: dict[str, bytes]) -> list[str]:
    """Return a line for each file that is stale, missing, or no longer generated."""
    lines = [f"{folder}/{name}: missing" for name in fresh.keys() - present.keys()]
    lines += [f"{folder}/{name}: no longer generated" for name in present.keys() - fresh.keys()]
    lines += [f"{folder}/{name}: stale" for name in fresh.keys() & present.keys() if fresh[name] != present[name]]
    return sorted(lines)


def check(generator: Generator, root: Path, *, write: bool) -> list[str]:
    """Compare one generator's output with the tree, or put it there; return what differs."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        generator.run(fresh)
        target = root / generator.folder
        if write:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(fresh, target)
        return differences(generator.folder, contents(target), contents(fresh))


def main(arguments: Sequence[str]) -> int:
    """Check or write everything that is generated; 0 when the tree is fresh."""
    problems: list[str] = []
    for generator in GENERATORS:
        if generator.exists:
            problems += check(generator, ROOT, write="--write" in arguments)
        else:
            print(f"skipped: {generator.folder} ({generator.module} is not in the tree)")
    print("\n".join(problems) or "generated files are fresh")
    if problems:
        print("run `make generate` and commit the result")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
