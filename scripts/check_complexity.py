"""Hold the complexity of functions, as radon counts it: branches, loops, conditions in comprehensions, and/or.

Usage: `python -m scripts.check_complexity`. A function may have 15.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Class, Function

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("reconciler", "scripts")
MOST = 15


def functions(root: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the functions below the root's folders: `file name`, complexity, line."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            for block in cc_visit(path.read_text("utf-8")):
                yield from ((f"{path.relative_to(root)} {name}", size, line) for name, size, line in _inside(block, ""))


def _inside(block: Function | Class, outer: str) -> Iterator[tuple[str, int, int]]:
    if isinstance(block, Class):
        return  # its methods come as functions of their own
    name = f"{outer or (f'{block.classname}.' if block.classname else '')}{block.name}"
    yield name, block.complexity, block.lineno
    for inner in block.closures:
        yield from _inside(inner, f"{name}.")


def problems(measured: Iterable[tuple[str, int, int]]) -> list[str]:
    """Return a line for each function beyond what it may have."""
    lines = []
    for name, size, line in measured:
        if size > MOST:
            file, _, function = name.partition(" ")
            lines.append(f"{file}:{line}: {function} has a complexity of {size}, at most {MOST}")
    return lines


def main() -> int:
    """Check the clone; 0 when no function is beyond."""
    lines = problems(functions(ROOT))
    print("\n".join(lines) or f"no function beyond {MOST}")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
