"""Report links between pages that lead nowhere, and tests that a page names and that do not exist.

Usage: `python -m scripts.check_links`. Looks at README.md, CHANGELOG.md, CONTRIBUTING.md and docs/; addresses
on the web are left alone.
A test is named as `tests/folder/test_file.py::test_name` (the name may be left out).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
HEADING = re.compile(r"^#+ (.+)$", re.M)
ELSEWHERE = ("https:", "http:", "mailto:")


def pages(root: Path) -> list[Path]:
    """Return the pages to check."""
    return [root / "README.md", root / "CHANGELOG.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(_prose(text)))
    return {title.strip().replace(" ", "-") for title in plain}


def _prose(text: str) -> str:
    """Return a page with its fences emptied, line numbers kept."""
    return FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)


def findings(page: Path, root: Path) -> Iterator[str]:
    """Yield `file:line: what` for each link and each named test of a page that does not exist."""
    text = _prose(page.read_text("utf-8"))
    for number, line in enumerate(text.splitlines(), 1):
        place = f"{page.relative_to(root)}:{number}"
        for target in LINK.findall(line):
            if not target.startswith(ELSEWHERE) and not _leads_somewhere(page, target):
                yield f"{place}: broken link: {target}"
        for file, test in TEST.findall(line):
            if not _has_test(root / file, test):
                yield f"{place}: no such test: {file}{f'::{test}' if test else ''}"


def _leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = page.parent / name if name else page
    if not file.exists():
        return False
    return not anchor or (file.suffix == ".md" and anchor in anchors(file.read_text("utf-8")))


def _has_test(file: Path, test: str) -> bool:
    return file.is_file() and (not test or f"def {test}(" in file.read_text("utf-8"))


def main() -> int:
    """Check all pages; 0 when nothing was found."""
    found = pages(ROOT)
    problems = [problem for page in found for problem in findings(page, ROOT)]
    print("\n".join(problems) or f"the links of {len(found)} pages lead somewhere")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
