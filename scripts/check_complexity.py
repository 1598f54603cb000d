"""Hold the complexity of functions, as radon counts it: branches, loops, conditions in comprehensions, and/or.

Usage: `python -m scripts.check_complexity`. A function may have 15. Those that have more are listed here with what they
have: they may shrink, and no other may be added. A function that is no longer beyond is to be taken out of the list.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Class, Function

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("reconciler", "scripts")
MOST = 15
BEYOND = Path(__file__).with_name("complexity.txt")
"""Functions beyond it: `file name complexity`, one a line."""


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


def known(text: str) -> dict[str, int]:
    """Return the functions of the list, with what they may have."""
    rows = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: int(size) for name, size in rows}


def problems(found: Iterator[tuple[str, int, int]], allowed: Mapping[str, int]) -> list[str]:
    """Return a line for each function beyond what it may have, and for each of the list that is not beyond any more."""
    have = {name: (size, line) for name, size, line in found}
    lines = []
    for name, (size, line) in have.items():
        most = max(allowed.get(name, MOST), MOST)
        if size > most:
            file, _, function = name.partition(" ")
            lines.append(f"{file}:{line}: {function} has a complexity of {size}, at most {most}")
    gone = sorted(name for name in allowed if have.get(name, (0, 0))[0] <= MOST)
    return lines + [f"{BEYOND.name}: take out `{name}`, which is not beyond {MOST} any more" for name in gone]


def main() -> int:
    """Check the clone, or with `--write` put what there is into the list; 0 when nothing was found."""
    if "--write" in sys.argv:
        rows = sorted(f"{name} {size}" for name, size, _ in functions(ROOT) if size > MOST)
        BEYOND.write_text(
            "# Functions beyond the complexity of 15: they may shrink.\n" + "\n".join(rows) + "\n", "utf-8"
        )
        return 0
    allowed = known(BEYOND.read_text("utf-8"))
    found = problems(functions(ROOT), allowed)
    print("\n".join(found) or f"no function beyond {MOST} but {len(allowed)} known ones")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
