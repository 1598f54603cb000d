"""Programs of the npm registry that tests drive, installed once into `.cache`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from tests.required import OUTSIDE, absent

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "npm"
MISSING = "needs node and npm (apt-get install nodejs npm)"


def program(package: str, version: str, script: str) -> list[str]:
    """Return the command line that begins a program of a package. Without node the test is skipped; in CI it fails."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        absent(MISSING)
    folder = CACHE / f"{package}-{version}"
    found = folder / "node_modules" / package / script
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not found.exists():
            install = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(
                [*install, f"{package}@{version}"],
                env=OUTSIDE, capture_output=True, text=True, check=False, timeout=100,
            )  # fmt: skip
            if done.returncode:
                absent(f"npm cannot install {package}: {done.stderr[-300:]}")
    return [node, str(found)]
