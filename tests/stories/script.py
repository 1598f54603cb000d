"""Stories as text: what they consist of, read from a file and written back with what happened.

Prose says what the story is about.

@ file config/crm.yaml          a file of the project; its lines follow, indented by four
tags: {vip: {}}
@ delete config/crm.yaml
@ env AC_TOKEN=canary-1         for the commands after it
@ answer yes                    what is typed when the next command asks
@ fault {"action": ...}         goes wrong in the account, see `emulator.Fault`
@ account {"forbidden": [...]}  how the account behaves, see `emulator.Settings`
@ live tags 1 {"tag": "X"}      somebody edits a row of the account by hand
@ server NAME                   a server that is no ActiveCampaign, see `servers`; its address is in AC_URL
@ lock, @ unlock                somebody else holds the lock of the state

$ reconciler plan               a command; `> FILE` keeps its standard output in a file of the project
standard output
! standard error
? 0                             its exit code
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

INDENT = "    "


@dataclass(frozen=True)
class Item:
    """One entry of a story: prose (`#`), a directive (`@`) or a command (`$`), with the lines below it."""

    mark: str
    text: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a command printed and its exit code."""

    out: str
    err: str
    code: int

    def lines(self) -> Iterator[str]:
        """Yield it as a story shows it."""
        for line in self.out.splitlines():
            yield f"  {line}".rstrip()
        for line in self.err.splitlines():
            yield f"! {line}".rstrip()
        yield f"? {self.code}"


@dataclass
class _Reading:
    items: list[Item] = field(default_factory=list)

    def below(self, line: str) -> None:
        """Add a line to the entry that it belongs to."""
        self.items[-1] = replace(self.items[-1], lines=(*self.items[-1].lines, line))


def parse(text: str) -> list[Item]:
    """Return the entries of a story."""
    reading = _Reading()
    for line in text.splitlines():
        if line[:2] in ("@ ", "$ "):
            reading.items.append(Item(line[0], line[2:]))
        elif reading.items and reading.items[-1].mark != "#" and (line[:2] in ("  ", "! ", "? ") or line in ("!", "")):
            reading.below(line)
        else:
            reading.items.append(Item("#", line))
    return [_trimmed(item) for item in reading.items]


def _trimmed(item: Item) -> Item:
    """Blank lines at the end belong to nobody."""
    lines = list(item.lines)
    while lines and not lines[-1]:
        lines.pop()
    return replace(item, lines=tuple(lines))


def written(items: Iterable[Item]) -> str:
    """Return a story as text."""
    lines: list[str] = []
    before = ""
    for item in items:
        if item.mark == "#":
            if before not in ("", "#") and lines[-1]:
                lines.append("")
            if item.text or (lines and lines[-1]):
                lines.append(item.text)
        else:
            if lines and lines[-1] and (item.mark == "$" or before != "@"):
                lines.append("")
            lines += [f"{item.mark} {item.text}", *item.lines]
        before = item.mark
    return "\n".join(lines).strip("\n") + "\n"


def content(item: Item) -> str:
    """Return the content of a file directive."""
    return "".join(f"{line.removeprefix(INDENT)}\n" for line in item.lines)
