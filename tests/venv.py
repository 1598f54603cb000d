"""Python packages that tests drive in an environment of their own, installed once into `.cache`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from tests.required import OUTSIDE, absent

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "venv"
SECONDS = 180
"""How long each step of the set-up may take."""
PIP = ("install", "--disable-pip-version-check", "--no-input", "--no-compile", "--quiet", "--retries=1", "--timeout=20")


def python(requirements: Path) -> str:
    """Return the Python of an environment with these requirements. If they cannot be installed, the test is skipped;
    in CI it fails.
    """
    wanted = f"{sys.version_info[:2]}\n{requirements.read_text('utf-8')}"
    folder = CACHE / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    found, ready = folder / "bin" / "python", folder / "ready"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock", timeout=3 * SECONDS):
        if not ready.exists():
            _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
            _run([sys.executable, "-m", "pip", "--python", str(found), *PIP, "-r", str(requirements)])
            ready.touch()
    return str(found)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, env=OUTSIDE, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        absent(f"the packages of a test were not installed within {SECONDS} seconds")
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or [done.stderr[-300:].strip()]
        absent(f"the packages of a test cannot be installed: {said[-1]}")
