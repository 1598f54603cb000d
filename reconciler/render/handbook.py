"""The handbook of an account as a folder of pages: no network, no server, readable without JavaScript but for the
search. Each page allows its own style and script by their hashes and nothing else, so names of an account stay texts.

The same handbook gives the same bytes. Names of files are those of kinds, and ids of parts are addresses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.model.handbook import GENERATOR, Chapter, Detail, EntryMark, Handbook, HandbookEntry
from reconciler.model.records import record
from reconciler.model.redaction import Shown, as_made
from reconciler.render.diagrams import in_order
from reconciler.render.graph import NODE_HEIGHT, NODE_WIDTH, GraphItem, Picture, beginning, drawn
from reconciler.render.harmless import outgoing
from reconciler.render.naming import humanised, joined, screen
from reconciler.render.pages import asset, filled, policy
from reconciler.render.quoting import clean
from reconciler.render.sentences import place_for_people, quoted_for_people
from reconciler.render.sides import called, colour_of
from reconciler.render.words import moment

MOST_DRAWN = 300
"""Objects in one picture; of more, the lists tell more than lines do."""
LONGEST = 600
"""Characters of a value that are shown."""
STANDINGS = {
    "managed": "declared, and in the account",
    "declared": "declared",
    "undeclared": "in the account, declared nowhere",
    "forgotten": "in the account, declared no more: the next plan deletes it",
    "outside": "made in the product: the API cannot change it",
}
ACTIONS = {"create": "made", "update": "changed", "replace": "made again", "delete": "deleted"}
MARKS: Mapping[EntryMark, tuple[str, str, str]] = {
    "unused": (
        "no use found",
        "No use was found",
        "Nothing refers to it, nothing that could be read mentions it, and records were counted: none is at it.",
    ),
    "undescribed": ("no description", "No description", "What it is for is not written down."),
    "twin": (
        "near twin",
        "There twice, or nearly",
        "People take these names for one; the account takes them for two.",
    ),
}
"""By mark: its badge, its heading, and what it means."""
_UNCOUNTED = (
    "Nothing refers to it, and nothing that could be read mentions it. Records were not counted: contacts and deals "
    "may have it."
)


@record
class Drawn:
    """A picture with the page that each node leads to."""

    picture: Picture
    links: Mapping[str, str]


def pages(book: Handbook) -> dict[str, Shown]:
    """Return the pages by the names of their files."""
    shared = _Pages(book)
    files = {
        "index.html": shared.page(
            "index", f"{book.name}: handbook", data=_data(book), script=asset("handbook.js").rstrip("\n")
        ),
        "look.html": shared.page("look", "Worth a look"),
        "graph.html": shared.page("graph", "What depends on what", overview=_of_kinds(book), whole=_whole(book)),
    }
    for chapter in book.chapters:
        files[f"{chapter.kind}.html"] = shared.page(
            "kind",
            _titled(chapter.kind),
            chapter=chapter,
            gone=screen(chapter.kind).gone or chapter.loses,
            drawing=_around(book, chapter),
        )
    return {name: as_made(outgoing(text, "html")) for name, text in files.items()}


@record
class _Pages:
    book: Handbook

    def page(self, kind: str, title: str, *, script: str = "", **more: Any) -> str:
        from markupsafe import Markup

        style = _inline("handbook.css")
        text = filled(
            f"handbook_{kind}.html",
            book=self.book,
            title=title,
            here=kind,
            style=Markup(style),
            script=Markup(script),
            policy=policy(style, script),
            generator=Markup(GENERATOR),
            link=self.link,
            name=self.name,
            marks=MARKS if self.book.counted else {**MARKS, "unused": (*MARKS["unused"][:2], _UNCOUNTED)},
            standings=STANDINGS,
            actions=ACTIONS,
            cut=cut,
            moment=moment,
            differs=differs,
            colour=detail_colour,
            place=place_for_people,
            blind=_blind_together(more.get("chapter")),
            pairs=_pairs,
            titled=_titled,
            chapters=sorted(self.book.chapters, key=lambda chapter: _titled(chapter.kind)),
            label=called,
            joined=joined,
            quoted=quoted_for_people,
            node_width=NODE_WIDTH,
            node_height=NODE_HEIGHT,
            **more,
        )
        return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"

    def link(self, address: str) -> str:
        """Return where an object is described."""
        return f"{self.book.entries[address].kind}.html#{address}"

    def name(self, address: str) -> str:
        """Return what an object is called."""
        return self.book.entries[address].title


def _blind_together(chapter: Chapter | None) -> Sequence[str]:
    """Return where no use of any object of a kind could be looked for, if that is the same for several of them."""
    places = {entry.blind for entry in chapter.entries if entry.blind} if chapter is not None else set()
    several = chapter is not None and sum(bool(entry.blind) for entry in chapter.entries) > 1
    return next(iter(places)) if several and len(places) == 1 else ()


def _pairs(entries: Iterable[HandbookEntry]) -> Iterable[HandbookEntry]:
    """Yield near twins, none of which was named with an earlier one."""
    named: set[str] = set()
    for entry in entries:
        group = {entry.address, *(twin.address for twin in entry.twins)}
        if not group <= named:
            yield entry
        named |= group


_DIFFERENCES = {
    "case": "capital letters", "outer blanks": "spaces around it", "inner blanks": "spaces inside it",
    "blanks": "spaces", "HTML entities": "characters written as HTML", "Unicode form": "how accents are stored",
    "Unicode compatibility form": "letters of another style",
}  # fmt: skip


def differs(words: str) -> str:
    """Return in words of readers what near twins differ in."""
    return " and ".join(_DIFFERENCES.get(word, word) for word in words.split(" and "))


def detail_colour(detail: Detail) -> str:
    """Return the six hexadecimal digits of a value that is a colour, "" of any other."""
    return colour_of(detail.name, detail.pieces[0].text) if len(detail.pieces) == 1 else ""


def _titled(kind: str) -> str:
    """Return what the screens call the objects of a kind, as a heading."""
    return humanised(screen(kind).many)


def cut(text: str) -> str:
    """Return the beginning of a long text, and how long it is."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _data(book: Handbook) -> str:
    """Return what is searched, as JSON in which nothing could end the script that it stands in."""
    from markupsafe import Markup

    titles = {chapter.kind: screen(chapter.kind).one for chapter in book.chapters}
    rows = [
        [
            clean(cut(part))
            for part in (entry.title, entry.address, titles[entry.kind], entry.description or "", entry.owner)
        ]
        + [clean(cut(_listed(entry)))]
        + [f"{entry.kind}.html#{entry.address}"]
        for entry in book.entries.values()
    ]
    text = json.dumps(rows, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&#_":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _listed(entry: HandbookEntry) -> str:
    """Return what the lists of an object hold that is no other object, such as the options of a field."""
    lists = (detail.pieces for detail in entry.details if detail.listed and not detail.switches)
    return " ".join(piece.text for pieces in lists for piece in pieces if not piece.address)


def _inline(name: str) -> str:
    return asset(name).rstrip("\n")


# --- pictures --------------------------------------------------------------------------------------------------------


def _of_kinds(book: Handbook) -> Drawn | None:
    """Return one node for each kind whose objects are tied to those of another one, behind the kinds that they name or
    are part of.
    """
    chapters = {chapter.kind: chapter for chapter in book.chapters if chapter.entries}
    edges = dict.fromkeys(
        (book.entries[needed].kind, entry.kind)
        for entry in book.entries.values()
        for needed in _needed(entry)
        if book.entries[needed].kind != entry.kind
    )
    tied = {kind for edge in edges for kind in edge}
    labels = {kind: f"{_titled(kind)} ({len(chapters[kind].entries):,})" for kind in chapters if kind in tied}
    return _drawn(labels, list(edges), {kind: f"{kind}.html" for kind in labels}, {})


def _whole(book: Handbook) -> Drawn | None:
    """Return all objects that are tied to another one; None where they are too many to see anything."""
    tied = {
        address for entry in book.entries.values() for needed in _needed(entry) for address in (needed, entry.address)
    }
    return _of_entries(book, [entry for entry in book.entries if entry in tied])


def _around(book: Handbook, chapter: Chapter) -> Drawn | None:
    """Return the objects of a kind that are tied to others, with those."""
    mine = {entry.address for entry in chapter.entries}
    near = {address for entry in chapter.entries for address in (*_needed(entry), *entry.uses, *entry.children)}
    tied = {
        address for entry in book.entries.values() for needed in _needed(entry) for address in (needed, entry.address)
    }
    return _of_entries(
        book, [entry for entry in book.entries if entry in tied and (entry in mine or entry in near)], mine
    )


def _needed(entry: HandbookEntry) -> Sequence[str]:
    return (*((entry.parent,) if entry.parent else ()), *entry.refers)


def _of_entries(book: Handbook, addresses: Iterable[str], only: set[str] | None = None) -> Drawn | None:
    chosen = dict.fromkeys(addresses)
    if len(chosen) > MOST_DRAWN:
        return None
    edges = [
        (needed, address)
        for address in chosen
        for needed in _needed(book.entries[address])
        if needed in chosen and (only is None or address in only or needed in only)
    ]
    labels = {address: book.entries[address].title for address in chosen}
    links = {address: f"{book.entries[address].kind}.html#{address}" for address in chosen}
    return _drawn(labels, edges, links, {address: f"{book.entries[address].title} ({address})" for address in chosen})


def _drawn(
    labels: Mapping[str, str], edges: Sequence[tuple[str, str]], links: Mapping[str, str], titles: Mapping[str, str]
) -> Drawn | None:
    edges = [(before, after) for before, after in edges if before in labels and after in labels]
    if not edges:
        return None
    numbers = {name: number for number, name in enumerate(in_order(labels, edges), 1)}
    needed: dict[str, list[int]] = {}
    for before, after in edges:
        needed.setdefault(after, []).append(numbers[before])
    items = [
        GraphItem(number, name, beginning(labels[name]), titles.get(name, labels[name]), "other", needed.get(name, ()))
        for name, number in numbers.items()
    ]
    return Drawn(drawn(items, apart=True), links)
