"""Hold the share of expressions whose type is `Any`: what the type checker cannot see, it cannot find mistakes in.

Usage: `python -m scripts.check_any`. Runs mypy on the product once and reads its report. A share that grows past its
ceiling names the modules that have most of it: give their values a type (`model.values.Value`, `Json`, a Protocol for a
library without types, a name imported under TYPE_CHECKING).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CEILINGS = {"reconciler": 0.01, "reconciler.cli": 0.02}
"""The highest share by package, as a part of 1."""
WORST = 5
"""Modules that are named of a package, at most."""
ROW = re.compile(r"^\s*(reconciler[\w.]*)\s+(\d+)\s+(\d+)\s", re.M)
"""A module, its expressions of type `Any`, and all of its expressions."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Expressions of one module: those of type `Any`, and all."""

    loose: int
    whole: int


def counted(report: str) -> dict[str, Counted]:
    """Return the modules of mypy's report `any-exprs.txt`."""
    return {name: Counted(int(loose), int(whole)) for name, loose, whole in ROW.findall(report)}


def share(modules: Mapping[str, Counted], package: str) -> float:
    """Return the share of a package, as a part of 1."""
    inside = [counted for name, counted in modules.items() if name == package or name.startswith(f"{package}.")]
    return sum(counted.loose for counted in inside) / max(sum(counted.whole for counted in inside), 1)


def problems(modules: Mapping[str, Counted]) -> list[str]:
    """Return a line for each package that is past its ceiling, and where there is nothing to count."""
    lines = []
    for package, most in CEILINGS.items():
        have = share(modules, package)
        inside = {name: modules[name] for name in modules if name == package or name.startswith(f"{package}.")}
        if not sum(counted.whole for counted in inside.values()):
            lines.append(f"{package}: mypy reported no expressions")
        elif have > most:
            worst = sorted(inside, key=lambda name: -inside[name].loose)[:WORST]
            named = ", ".join(f"{name} ({inside[name].loose})" for name in worst)
            lines.append(f"{package}: {have:.2%} of the expressions are `Any`, at most {most:.0%}: {named}")
    return lines


def measured() -> dict[str, Counted]:
    """Return what mypy reports of the product. Raises RuntimeError where it finds errors."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mypy", "--any-exprs-report", folder, "reconciler"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return counted((Path(folder) / "any-exprs.txt").read_text("utf-8"))


def main() -> int:
    """Check the clone; 0 when every package is below its ceiling."""
    modules = measured()
    lines = problems(modules)
    shares = (f"{share(modules, package):.2%} of {package}" for package in CEILINGS)
    print("\n".join(lines) or f"expressions of type Any: {', '.join(shares)}")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
