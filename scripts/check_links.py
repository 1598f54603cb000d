"""Report what leads nowhere: links between pages, tests that a page names, and citations of the vendor facts.

Usage: `python -m scripts.check_links`. Looks for links and tests in README.md, CHANGELOG.md, CONTRIBUTING.md and docs/;
addresses on the web are left alone. A test is named as `tests/folder/test_file.py::test_name` (or without a name).
Citations are looked for in every text file of the clone: `section 2.13`, `sections 1.4 and 2.2`, `row 17`, `appendix F`
are places of docs/vendor-api.md; those of an RFC are not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.check_tree import tracked_files

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
HEADING = re.compile(r"^#+ (.+)$", re.M)
ELSEWHERE = ("https:", "http:", "mailto:")
FACTS = "docs/vendor-api.md"
"""The page that citations are about."""
CITING = {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".txt", ".html"}
_AND = r"(?:,? (?:and|or|to) |, ?)"
_FEW = rf"(?P<places>\d+(?:\.\d+)?(?:{_AND}\d+(?:\.\d+)?)*)"
CITATION = re.compile(
    rf"(?<!\w)(?:(?P<kind>sections?|rows?) {_FEW}|(?P<appendix>appendix) (?P<letter>[A-Z])\b)(?![.\d]*\d)", re.I
)
BREAK = re.compile(r"[ \t]*\n[ \t]*(?:#+:? |> |\* )?")
"""Where a line of prose or of a comment ends and the next one begins."""
RFC = re.compile(r"\bRFC \d+\b[^.;]{0,80}$")


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


@dataclass(frozen=True, slots=True)
class Facts:
    """The places of the vendor facts that can be cited."""

    sections: frozenset[str]
    rows: frozenset[str]
    appendices: frozenset[str]

    def has(self, kind: str, place: str) -> bool:
        """Return whether a section, row or appendix exists."""
        known = {"s": self.sections, "r": self.rows, "a": self.appendices}
        return place.upper() in known[kind[0].lower()]


def facts(text: str) -> Facts:
    """Return what the page holds: numbered headings, lettered appendices, and the rows of section 7."""
    titles = HEADING.findall(_prose(text))
    contradictory = re.search(r"^## 7\..*?(?=^## |\Z)", text, re.M | re.S)
    return Facts(
        frozenset(match[1] for title in titles if (match := re.match(r"(\d+(?:\.\d+)?)\.? ", title))),
        frozenset(re.findall(r"^\| (\d+) \|", contradictory[0] if contradictory else "", re.M)),
        frozenset(match[1] for title in titles if (match := re.match(r"Appendix ([A-Z])\.", title))),
    )


def numbered_twice(text: str) -> list[str]:
    """Return the numbers of sections and rows that the page gives to two places: a citation would mean either."""
    titles = [match[1] for title in HEADING.findall(_prose(text)) if (match := re.match(r"(\d+(?:\.\d+)?)\.? ", title))]
    rows = re.findall(r"^\| (\d+) \|", text, re.M)
    numbers = [*(f"section {number}" for number in titles), *(f"row {number}" for number in rows)]
    return sorted({number for number in numbers if numbers.count(number) > 1})


def citations(name: str, text: str, known: Facts) -> Iterator[str]:
    """Yield `file:line: what` for each citation of the vendor facts that leads nowhere."""
    breaks = list(BREAK.finditer(text))
    joined = BREAK.sub(" ", text)
    for citation in CITATION.finditer(joined):
        if RFC.search(joined, max(0, citation.start() - 100), citation.start()):
            continue
        kind = citation["kind"] or citation["appendix"]
        places = re.findall(r"\d+(?:\.\d+)?", citation["places"]) if citation["kind"] else [citation["letter"]]
        for place in places:
            if not known.has(kind, place):
                yield f"{name}:{_line(breaks, citation.start())}: no {kind.rstrip('s')} {place} in {FACTS}"


def _line(breaks: list[re.Match[str]], offset: int) -> int:
    """Return the line of an offset in the text whose breaks were made one blank each."""
    removed = 0
    for number, match in enumerate(breaks, 1):
        if match.start() - removed >= offset:
            return number
        removed += len(match[0]) - 1
    return len(breaks) + 1


def cited(root: Path) -> Iterator[str]:
    """Yield the findings of all citations in the clone, and of the numbers of the page itself."""
    page = (root / FACTS).read_text("utf-8")
    yield from (f"{FACTS}: {what} stands there twice" for what in numbered_twice(page))
    known = facts(page)
    for name in tracked_files(root):
        if Path(name).suffix in CITING and (root / name).is_file():
            yield from citations(name, (root / name).read_text("utf-8"), known)


def main() -> int:
    """Check all pages and citations; 0 when nothing was found."""
    checked = pages(ROOT)
    problems = [problem for page in checked for problem in findings(page, ROOT)]
    problems += cited(ROOT)
    print("\n".join(problems) or f"the links of {len(checked)} pages and the citations of {FACTS} lead somewhere")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
