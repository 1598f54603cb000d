"""Keep the list of decisions, and see that each page that later work reversed says so, and by which page.

Usage: `python -m scripts.check_decisions [--write]`. A page `docs/decisions/NNNN-slug.md` that replaces another one, or
a part of it, has a paragraph "Supersedes NNNN ..." or "Supersedes in part NNNN ..."; the other one has "Superseded by
NNNN (YYYY-MM-DD)" or "Superseded in part by NNNN (YYYY-MM-DD): what". `--write` puts the list into
docs/decisions/README.md: number, title, date, status.
"""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "docs/decisions"
HEAD = "| page | decision | date | status |\n|---|---|---|---|\n"
PAGE = re.compile(r"(\d{4})-[\w-]+\.md")
TITLE = re.compile(r"^# (?:\d+[.:]? )?(.+)$", re.M)
NUMBER = re.compile(r"(?<![\w-])(\d{4})(?![\w-])")
NAMELESS = "a page without its number of four digits"
BY = re.compile(
    r"superseded (?P<part>in part )?by (?P<pages>[^()]*(?:\([\w-]+\.md\)[^()]*)*)\((?P<date>\d{4}-\d\d-\d\d)\)", re.I
)
SUPERSEDES = re.compile(r"^Supersedes\b.*?(?=\n\n|\Z)", re.M | re.S)
ROW = re.compile(r"^\| \[(\d{4})\]\([^)]+\) \|.*\| (\d{4}-\d\d-\d\d) \| [^|]+ \|$", re.M)


@dataclass(frozen=True, slots=True)
class Superseded:
    """That a page does not hold any more: by which pages, since when, and whether only a part of it is meant."""

    by: tuple[str, ...]
    date: str
    part: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """One page."""

    number: str
    file: str
    title: str
    superseded: tuple[Superseded, ...]
    supersedes: frozenset[str]


def read(folder: Path) -> list[Decision]:
    """Return the pages of a folder in the order of their numbers."""
    decisions = []
    for file in sorted(folder.glob("*.md")):
        if named := PAGE.fullmatch(file.name):
            text = file.read_text("utf-8")
            title = TITLE.search(text)
            decisions.append(
                Decision(
                    named[1],
                    file.name,
                    title[1] if title else "",
                    tuple(
                        Superseded(tuple(_numbers(note["pages"])), note["date"], bool(note["part"]))
                        for note in BY.finditer(text.replace("\n", " "))
                    ),
                    frozenset(number for part in SUPERSEDES.findall(text) for number in _numbers(part)),
                )
            )
    return decisions


def _numbers(text: str) -> list[str]:
    """Return the numbers that a text, or the words of its links, names; NAMELESS alone where it names none."""
    return NUMBER.findall(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)) or [NAMELESS]


def status(decision: Decision, files: dict[str, str]) -> str:
    """Return the last column: whether a page holds, and what holds in its place since when."""
    notes = [
        f"superseded {'in part ' if note.part else ''}by "
        f"{' and '.join(f'[{by}]({files[by]})' if by in files else by for by in note.by)} ({note.date})"
        for note in decision.superseded
    ]
    return "; ".join(notes) or "accepted"


def problems(decisions: Sequence[Decision]) -> Iterator[str]:
    """Yield what does not fit together: a number given twice, a page that is missing, or named by one side only."""
    known = {decision.number: decision for decision in decisions}
    for decision in decisions:
        page = f"{FOLDER}/{decision.file}"
        if known[decision.number] is not decision:
            yield f"{page}: the number {decision.number} is that of {known[decision.number].file} too"
        if not decision.title:
            yield f"{page}: no title"
        for by in (by for note in decision.superseded for by in note.by):
            if by not in known:
                yield f"{page}: superseded by {by}, which does not exist"
            elif decision.number not in known[by].supersedes:
                yield f'{FOLDER}/{known[by].file}: has no paragraph "Supersedes {decision.number}", which says so'
        for other in sorted(decision.supersedes):
            if other not in known:
                yield f"{page}: supersedes {other}, which does not exist"
            elif decision.number not in {by for note in known[other].superseded for by in note.by}:
                yield f'{FOLDER}/{known[other].file}: does not say "Superseded by {decision.number} (DATE)"'


def listed(root: Path, decisions: Sequence[Decision]) -> str:
    """Return the list as it should be: dates as they are in it, of new pages as git knows them, else today."""
    readme = (root / FOLDER / "README.md").read_text("utf-8")
    dates = dict(ROW.findall(readme))
    files = {decision.number: decision.file for decision in decisions}
    rows = [
        f"| [{page.number}]({page.file}) | {page.title} | {dates.get(page.number) or _made(root, page.file)} "
        f"| {status(page, files)} |\n"
        for page in decisions
    ]
    return readme[: readme.index("\n| ") + 1] + HEAD + "".join(rows)


def _made(root: Path, file: str) -> str:
    command = ["git", "-C", str(root), "log", "--diff-filter=A", "--format=%as", "--", f"{FOLDER}/{file}"]
    dates = subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()
    return dates[-1] if dates else datetime.datetime.now(datetime.UTC).date().isoformat()


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Check, or write the list; 0 when everything fits."""
    decisions = read(root / FOLDER)
    readme = root / FOLDER / "README.md"
    fresh = listed(root, decisions)
    if "--write" in arguments:
        readme.write_text(fresh, "utf-8")
    faults = list(problems(decisions))
    if readme.read_text("utf-8") != fresh:
        faults.append(f"{FOLDER}/README.md: stale; run `python -m scripts.check_decisions --write`")
    print("\n".join(faults) or f"the {len(decisions)} decisions are listed, and those that were reversed say by which")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
