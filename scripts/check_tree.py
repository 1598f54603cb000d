"""Report paths of one machine and hosts of package registries in tracked files: they work on no other machine.

Usage: `python -m scripts.check_tree`. Prints `file:line: reason: excerpt` and exits 1 if there is any.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Folders where only one machine keeps its work, its users' homes, or its secrets.
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:work|farm|root|Users/\w+|home/(?!runner\b)\w+)(?:/|\b(?=[\s\"'`),:]|$))")
REGISTRY_HOST = re.compile(
    r"\b(?:files\.pythonhosted|(?:test\.)?pypi|registry\.npmjs|registry\.yarnpkg|(?:deb|security)\.debian|crates"
    r"|proxy\.golang|rubygems|docker)\.(?:org|com|io)\b|--(?:extra-)?index[-]url|--find[-]links"
)
REASONS = ((MACHINE_PATH, "path of one machine"), (REGISTRY_HOST, "host of a package registry"))


def findings(name: str, text: str) -> Iterator[str]:
    """Yield `file:line: reason: excerpt` for each line of a text that names a machine's path or a registry's host."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, reason in REASONS:
            if match := pattern.search(line):
                yield f"{name}:{number}: {reason}: {line[max(0, match.start() - 20) : match.end() + 20].strip()}"


def tracked_files(root: Path) -> list[str]:
    """Return the files that git tracks or would track, relative to the root."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return [
        name for name in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0") if name
    ]


def check(root: Path, names: Iterable[str]) -> list[str]:
    """Return the findings of all the text files among the names; deleted and binary files are passed over."""
    problems: list[str] = []
    for name in names:
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        problems += findings(name, text)
    return problems


def main() -> int:
    """Check the clone; 0 when nothing was found."""
    problems = check(ROOT, tracked_files(ROOT))
    print("\n".join(problems) or "no path of a machine and no registry host in tracked files")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
