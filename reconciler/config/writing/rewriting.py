"""Values of the account into the files that declare them: each at its own place and layer, with the rest of the file as
it is. Writes no file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from reconciler.config.reading.nodes import Entry, Map, Source
from reconciler.config.reading.places import Fixed, KeyPath, Places, filled_in, written
from reconciler.config.writing.arranging import arranged
from reconciler.config.writing.dumping import as_written
from reconciler.config.writing.editing import Drop, Edit, Put, edited
from reconciler.model.desired import Resource
from reconciler.model.errors import ReconcilerError
from reconciler.model.records import mutable, record
from reconciler.model.spec import Attribute, Commas, RefTo, Unordered
from reconciler.model.values import Value, identical


@record
class ProposedEdit:
    """An attribute of a declared resource, and the value that its file should say."""

    resource: Resource
    attribute: Attribute
    value: Value

    @property
    def name(self) -> tuple[str, str]:
        """What the wish is about."""
        return self.resource.address, self.attribute.name


@record
class Refusal:
    """What was not written, and why. Without `name` it is about the whole resource."""

    address: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.address}.{self.name}: {self.reason}" if self.name else f"{self.address}: {self.reason}"


@record
class Arrangement:
    """The order in which the files should have what stands in a resource: the keys in its map `inside`."""

    parent: str
    inside: str
    keys: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str]:
        """What it is about."""
        return self.parent, self.inside


@mutable
class Rewriting:
    """The edits of one run, by file. `variables` maps texts to the variables that stand for them in files.

    With `replacing`, a variable whose value is another one is replaced by the value; otherwise that is refused. With
    a `layer`, all is written into that overlay.
    """

    places: Places
    variables: Mapping[str, str] = field(default_factory=dict)
    replacing: bool = False
    layer: Source | None = None
    texts: dict[str, str] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    """Variables that were replaced by a value, as `address.name: ${var.x}`."""

    def change(self, proposals: Iterable[ProposedEdit]) -> None:
        """Write values into the files; what cannot be written is in `refused`."""
        self._carry_out([(*proposed.name, self._clearing(self._edits(proposed))) for proposed in proposals])

    def _clearing(self, edits: Iterable[tuple[Source, Edit]]) -> Iterator[tuple[Source, Edit]]:
        """Yield the edits with an empty text for null in overlays, where null would take the declaration away."""
        for source, edit in edits:
            here = self.layer is None and source in self.places.overlays
            yield source, replace(edit, value="") if here and isinstance(edit, Put) and edit.value is None else edit

    def remove(self, addresses: Iterable[str]) -> None:
        """Take declarations out of their files; the nested ones go with them."""
        chosen = list(addresses)
        inside = {name for name in chosen for other in chosen if _within(self.places, name, other)}
        self._carry_out([(name, "", self._dropped(name)) for name in chosen if name not in inside])
        self.done += [(name, "") for name in chosen if name in inside]

    def add(self, file: str, news: Iterable[tuple[str, KeyPath, Mapping[str, Any]]]) -> None:
        """Write new declarations (address, path, content) at the end of the maps that their paths lead into."""
        source = Source(file, "")
        self._carry_out([(address, "", iter([(source, Put(path, content))])) for address, path, content in news])

    def arrange(self, wanted: Iterable[Arrangement]) -> None:
        """Bring entries into another order, where all of them stand in one file; after everything else is written."""
        for arrangement in wanted:
            try:
                source, path = self._holding(arrangement)
                text, ending = _plain_ends(self.text(source.file))
                self.texts[source.file] = arranged(text, path, arrangement.keys, source.file).replace("\n", ending)
                self.done.append(arrangement.name)
            except Fixed as why:
                self.refused.append(Refusal(*arrangement.name, str(why)))
            except ReconcilerError as error:
                self.refused.append(Refusal(*arrangement.name, f"{error.message}; {error.hint}"))

    def _holding(self, arrangement: Arrangement) -> tuple[Source, KeyPath]:
        """Return the file that says the order, and where in it. An overlay only adds behind what it lies over."""
        path = (*self.places.path(arrangement.parent), arrangement.inside)
        layers = [source for source in self._sources() if set(arrangement.keys) & _keys_at(self.places, source, path)]
        if not layers:
            entry = self.places.entry(arrangement.parent)
            source = entry.key.source if entry is not None else None
            if source is None:
                raise Fixed("it is declared nowhere")
            layers = [source]
        self.places.check(arrangement.parent, layers[0])
        if self.layer is not None and layers[0] != self.layer:
            raise Fixed(f"the order stands in {layers[0].file}, for other environments too: change it there manually")
        return layers[0], path

    def text(self, file: str) -> str:
        """Return a file as it is with the edits so far; empty where there is none."""
        if file not in self.texts:
            sources = {source.file: source for source in self._sources()}
            self.texts[file] = sources[file].text if file in sources else ""
        return self.texts[file]

    def changed(self) -> dict[str, str]:
        """Return the files that differ from what was read."""
        before = {source.file: source.text for source in self._sources()}
        return {file: text for file, text in self.texts.items() if text != before.get(file, "")}

    def _sources(self) -> Iterator[Source]:
        yield from self.places.sources
        yield from self.places.overlays

    # --- edits -----------------------------------------------------------------------------------------------------

    def _carry_out(self, wanted: Sequence[tuple[str, str, Iterator[tuple[Source, Edit]]]]) -> None:
        """Make the edits of each file at once; where that fails, one after the other, to know which cannot be made."""
        files: dict[str, list[tuple[str, str, Edit]]] = defaultdict(list)
        refused = set()
        for address, name, edits in wanted:
            try:
                for source, edit in list(edits):
                    files[source.file].append((address, name, edit))
            except Fixed as why:
                self.refused.append(Refusal(address, name, str(why)))
                refused.add((address, name))
        for file, mine in files.items():
            refused |= self._edit(file, mine)
        self.done += [(address, name) for address, name, _ in wanted if (address, name) not in refused]

    def _edit(self, file: str, wanted: Sequence[tuple[str, str, Edit]]) -> set[tuple[str, str]]:
        refused: set[tuple[str, str]] = set()
        text, ending = _plain_ends(self.text(file))
        try:
            text = edited(text, [edit for _, _, edit in wanted], file)
        except ReconcilerError:
            for address, name, edit in wanted:
                try:
                    text = edited(text, [edit], file)
                except ReconcilerError as error:
                    self.refused.append(Refusal(address, name, f"{error.message}; {error.hint}"))
                    refused.add((address, name))
        self.texts[file] = text.replace("\n", ending)
        return refused

    def _dropped(self, address: str) -> Iterator[tuple[Source, Edit]]:
        entry = self.places.entry(address)
        if entry is None:
            return
        if self.layer is not None:
            yield self.layer, Put(self.places.path(address), None)
            return
        self.places.check(address, entry.key.source)
        yield entry.key.source, Drop(self.places.path(address))

    def _edits(self, proposed: ProposedEdit) -> Iterator[tuple[Source, Edit]]:
        address, name = proposed.name
        whole = self.places.entry(address)
        if whole is None:
            raise Fixed("it is declared nowhere")
        path = (*self.places.path(address), name)
        mark = proposed.attribute.mark(RefTo)
        entry = self.places.entry(address, name)
        if self.layer is not None:
            if entry is not None:
                self._gives_way(proposed, written(entry.value))
            yield from self._over(self.layer, proposed, path, proposed.resource.attrs.get(name), proposed.value)
            return
        if entry is None:
            self.places.check(address, whole.key.source)
            yield whole.key.source, Put(path, as_written(proposed.value, mark, self.variables))
            return
        if not isinstance(entry.value, Map):
            self.places.check(address, entry.key.source)
        for source, edit in self._inside(proposed, path, entry, proposed.resource.attrs.get(name), proposed.value):
            self.places.check(address, source)
            yield source, edit

    def _over(
        self, layer: Source, proposed: ProposedEdit, path: KeyPath, have: Value, want: Value
    ) -> Iterator[tuple[Source, Edit]]:
        """Yield the edits of an overlay that make a value what is wanted: there, `null` takes an entry away."""
        if isinstance(have, dict) and isinstance(want, dict):
            for key in dict.fromkeys((*have, *want)):
                if key not in want:
                    yield layer, Put((*path, key), None)
                elif key not in have or not identical(have[key], want[key]):
                    yield from self._over(layer, proposed, (*path, key), have.get(key), want[key])
            return
        new = as_written("" if want is None else want, proposed.attribute.mark(RefTo), self.variables)
        yield layer, Put(path, new)

    def _inside(
        self, proposed: ProposedEdit, path: KeyPath, entry: Entry, have: Value, want: Value
    ) -> Iterator[tuple[Source, Edit]]:
        """Yield the edits of one value: of a map only the entries that differ."""
        if isinstance(entry.value, Map) and isinstance(have, dict) and isinstance(want, dict):
            new = dict(want)
            for key, inner in entry.value.entries.items():
                match = _match(key, want, proposed.attribute)
                if match is None:
                    yield inner.key.source, Drop((*path, key))
                else:
                    yield from self._inside(proposed, (*path, key), inner, have.get(key), new.pop(match))
            for key, value in new.items():
                yield (
                    entry.key.source,
                    Put((*path, key), as_written(value, proposed.attribute.mark(RefTo), self.variables)),
                )
            return
        raw = written(entry.value)
        new = self._merged(proposed, raw, have, want)
        if not identical(new, raw):
            yield entry.key.source, Put(path, new)

    def _merged(self, proposed: ProposedEdit, raw: Any, have: Value, want: Value) -> Any:
        """Return what to write for a value: what is written already as far as it says the same."""
        if identical(have, want):
            return raw
        if isinstance(raw, list) and isinstance(have, list) and isinstance(want, list) and len(raw) == len(have):
            return self._merged_list(proposed, raw, have, want)
        self._gives_way(proposed, raw)
        return as_written(want, proposed.attribute.mark(RefTo), self.variables)

    def _merged_list(self, proposed: ProposedEdit, raw: list[Any], have: list[Value], want: list[Value]) -> list[Any]:
        if proposed.attribute.has(Unordered, Commas):
            want = [item for item in have if item in want] + [item for item in want if item not in have]
        mark = proposed.attribute.mark(RefTo)
        for text, item in zip(raw, have, strict=True):
            if item not in want:
                self._gives_way(proposed, text)
        return [raw[have.index(item)] if item in have else as_written(item, mark, self.variables) for item in want]

    def _gives_way(self, proposed: ProposedEdit, raw: Any) -> None:
        """Raise Fixed where a value comes from a variable that is not to be replaced; a secret never is."""
        names = filled_in(raw)
        if not names:
            return
        listed = ", ".join(names)
        if not self.replacing or any(name.startswith("${secret.") for name in names):
            raise Fixed(f"its value comes from {listed}: change that, or write a value in its place")
        self.replaced.append(f"{'.'.join(proposed.name)}: {listed}")


def _match(key: str, want: Mapping[str, Value], attribute: Attribute) -> str | None:
    """Return the key of the wanted map that a written key means."""
    return (
        key
        if key in want
        else next((candidate for candidate in want if attribute.entry(candidate) == attribute.entry(key)), None)
    )


def _keys_at(places: Places, source: Source, path: KeyPath) -> set[str]:
    try:
        data = places.plain(source)
    except Fixed:
        return set()
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return {*data} if isinstance(data, Mapping) else set()


def _within(places: Places, address: str, other: str) -> bool:
    mine, above = places.path(address), places.path(other)
    return len(mine) > len(above) and mine[: len(above)] == above


def _plain_ends(text: str) -> tuple[str, str]:
    """Return a text with plain line ends, and the ends that it had throughout."""
    if "\r\n" in text and "\n" not in text.replace("\r\n", ""):
        return text.replace("\r\n", "\n"), "\r\n"
    return text, "\n"
