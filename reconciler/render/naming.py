"""What things are called on the product's screens: kinds, objects, numbers of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.model.address import by_identity, join, key_of, kind_of
from reconciler.model.called import KindWords, called
from reconciler.model.document import AttributeView, BoardView, ChangeView, PlanDocument
from reconciler.model.grammar import a
from reconciler.model.people import without_addresses
from reconciler.model.values import RemoteId
from reconciler.render.directions import named, unmarked
from reconciler.render.terms import SCREENS
from reconciler.render.words import number

_ADDRESS = re.compile(r"\b[a-z_]+(?:\.[A-Za-z0-9_-]+)+")
_BY_ID = re.compile(r"([a-z_]+) id (\S+)")
_RUNS_ON = re.compile(r"[,;]|[.?!:](?:\s|$)")
_LONGEST = 40
"""Characters of a name that a sentence takes without quotes."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


_OF_A_PERSON = frozenset({"user"})


def screen(kind: str) -> KindWords:
    """Return a kind as people know it."""
    plain = kind.replace("_", " ")
    return SCREENS.get(kind) or KindWords(plain, f"{plain}s")


def humanised(identifier: str) -> str:
    """Return `plan_tier` as `Plan tier`."""
    text = identifier.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def name_of(change: ChangeView) -> str:
    """Return what an object is called on the screens today, or will be; never a mail address."""
    sides: list[Mapping[str, Any]] = [] if change.kind in _OF_A_PERSON else [change.found, change.desired]
    sides.append(
        {
            attribute.name: attribute.before if change.action == "delete" else attribute.after
            for attribute in change.attributes
        }
    )
    for side in sides if change.kind not in _OF_A_PERSON else ():
        text = called(side)
        if text and not text.startswith("(sensitive"):
            return str(without_people(text)) if change.kind != "setting" else humanised(text)
    return humanised(change.address.rpartition(".")[2])


def without_people(value: Any) -> Any:
    """Return an encoded value without mail addresses."""
    if isinstance(value, str):
        return without_addresses(value, lambda _: "(address)")
    if isinstance(value, list):
        return [without_people(item) for item in value]
    return {name: without_people(item) for name, item in value.items()} if isinstance(value, dict) else value


def set_apart(name: str) -> str:
    """Return a name in quotes where a reader could take its end for the sentence around it: a long one, or one with the
    marks of a sentence.
    """
    return f"“{name}”" if len(name) > _LONGEST or _RUNS_ON.search(unmarked(name)) else name


def pipeline_of(stage: str) -> str:
    """Return the address of the pipeline that a stage is in."""
    return join("pipeline", key_of(stage).rpartition(".")[0])


class Names:
    """What the objects of a plan are called. Of one that the plan knows no name of, the end of its address tells."""

    def __init__(self, changes: Iterable[ChangeView], more: Mapping[str, str] | None = None) -> None:
        self._names = {**(more or {}), **{change.address: name_of(change) for change in changes}}

    @classmethod
    def of(cls, document: PlanDocument) -> Names:
        """Return the names of all that a plan knows: what it changes, and what stands on the boards that it shows."""
        known = {key: str(without_people(name)) for key, name in document.names.items()}
        return cls(document.changes, {**(_on_boards(document) if document.boards else {}), **known})

    def __getitem__(self, address: str) -> str:
        """Return the name of what stands at an address, for a sentence."""
        return named(self._names.get(address) or humanised(address.rpartition(".")[2]))

    def thing(self, address: str) -> str:
        """Return `tag VIP`, `stage Lead of Sales`."""
        kind, nested = kind_of(address), address.count(".") > 1
        of = f" of {self[pipeline_of(address)]}" if kind == "stage" and nested else ""
        return f"{screen(kind).one} {set_apart(self[address])}{of}"

    def introduce(self, address: str) -> str:
        """Return what people call an object, with its address for those who look into the files."""
        return f"{self.thing(address)} ({address})"

    def plainly(self, text: str) -> str:
        """Return a sentence with the names of things in place of the addresses of this plan."""
        return _ADDRESS.sub(lambda match: self.thing(match[0]) if match[0] in self._names else match[0], text)

    def mentioned(self, text: str) -> str:
        """Return the name of an object that an impact mentions: managed ones stand there by address, others by id."""
        kind, dot, _ = text.partition(".")
        if dot and kind in SCREENS:
            return self.thing(text)
        match = _BY_ID.fullmatch(text)
        if match is None or match[1] not in SCREENS:
            return text
        name = self.undeclared(match[1], match[2])
        return f"{screen(match[1]).one} {name}" if self.known(match[1], match[2]) else name

    def known(self, kind: str, identity: str) -> str:
        """Return the name of an object that nothing declares, "" where it is not known."""
        return self._names.get(str(RemoteId(kind, identity)), "")

    def undeclared(self, kind: str, identity: str) -> str:
        """Return the name of an object that nothing declares; of one that was not read, what it is and its id."""
        known = self.known(kind, identity)
        return named(known) if known else f"{a(screen(kind).one)} (id {identity})"


def introduced(document: PlanDocument, known: Mapping[str, str] | None = None) -> PlanDocument:
    """Return a plan that says the names of what nothing declares beside the ids, for views that show addresses. `known`
    are names in place of those that the plan knows.
    """
    known = document.names if known is None else known
    names = Names((), {key: str(without_people(name)) for key, name in known.items()})
    changes = [_introduced(change, names) for change in document.changes]
    return document.model_copy(update={"changes": changes})


def _introduced(change: ChangeView, names: Names) -> ChangeView:
    attributes = [_with_names(view, names) for view in change.attributes]
    impacts = [
        view.model_copy(update={"objects": [text if "." in text else names.mentioned(text) for text in view.objects]})
        if view.objects
        else view
        for view in change.impacts
    ]
    return change.model_copy(update={"attributes": attributes, "impacts": impacts})


def _with_names(view: AttributeView, names: Names) -> AttributeView:
    sides = {"before": view.before, "after": view.after, "applied": view.applied}
    if not any(isinstance(side, list | dict) for side in sides.values()):
        return view
    return view.model_copy(update={name: _named_ids(side, names) for name, side in sides.items()})


def _named_ids(value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [_named_ids(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    if "$id" not in value:
        return {name: _named_ids(item, names) for name, item in value.items()}
    name = names.known(str(value.get("kind", "")), str(value["$id"]))
    return {**value, "name": name} if name else value


_INSIDE: Mapping[str, str] = {"stage": "pipeline", "field": "group", "deal_field": "group", "account_field": "group"}
"""The attribute by which what stands on a board names the pipeline or the group that the board is of."""


def _on_boards(document: PlanDocument) -> dict[str, str]:
    """Return what boards call the objects on them and what these are in, by address, as it is today if it is there."""
    names: dict[str, str] = {}
    addresses = by_identity(document.ids)
    changes = {change.address: change for change in document.changes}
    for board in document.boards:
        for side in (board.before, board.after):
            for card in side:
                address = card.address or addresses.get((board.kind, card.key), "")
                names.setdefault(address, str(without_people(card.title)))
                if card.address in changes:
                    outer = _outer(board, changes[card.address], now=side is board.before)
                    names.setdefault(outer, str(without_people(board.title)))
    return {address: name for address, name in names.items() if address and name}


def _outer(board: BoardView, change: ChangeView, *, now: bool) -> str:
    """Return the address of what an object on a board is in, "" where that is not managed."""
    attribute = _INSIDE.get(board.kind, "")  # a plan of a newer version may show other boards
    value = change.found.get(attribute) if now else {**change.found, **change.desired}.get(attribute)
    return str(value.get("$ref", "")) if isinstance(value, Mapping) else ""


def sized(count: int, word: str, many: str) -> str:
    """Return `one tag`, `12 tags`."""
    return f"{_NUMBERS[count] if 0 < count < len(_NUMBERS) else number(count)} {word if count == 1 else many}"


def joined(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def label(item: object) -> str:
    """Return what people call an entry of a list, "" where it has no name."""
    return _first(item, ("label", "title", "name", "value", "key", "address", "$ref", "$id", "id"))


def member(key: str, item: object) -> str:
    """Return what people call an entry of a map, such as a field of a custom object; else its key."""
    labels = item.get("labels") if isinstance(item, Mapping) else None
    text = labels.get("singular") if isinstance(labels, Mapping) else None
    return text if isinstance(text, str) and text.strip() else humanised(key)


def identity(item: object) -> str:
    """Return what an entry of a list is known by to the account: an option stays the same one under another label."""
    return _first(item, ("value", "key", "id", "name", "label"))


def _first(item: object, names: Sequence[str]) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return next((str(text) for name in names if isinstance(text := item.get(name), str | int) and text != ""), "")
