"""What an export adds to a project: declarations of new objects, pins of namesakes, and variables with their values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import PurePosixPath

from reconciler.config.reading.places import nesting
from reconciler.config.reading.project import LoadedProject
from reconciler.config.writing.dumping import children_of, content_of, dump
from reconciler.config.writing.editing import Edit, Put, edited
from reconciler.config.writing.rewriting import Refusal, Rewriting
from reconciler.model.address import key_of
from reconciler.model.desired import Import, Resource
from reconciler.model.kind import Kinds
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import mutable


@mutable
class Additions:
    """Adds to the files of a project, for one of its environments, by way of `rewriting`. `variables` maps texts to
    names of variables.

    `values` collects what the environment has to give for the variables that were added.
    """

    project: LoadedProject
    environment: str
    kinds: Kinds
    rewriting: Rewriting
    variables: Mapping[str, str]
    modeline: Callable[[str], str] = lambda file: ""
    """What a new file begins with, so that editors check it."""
    values: dict[str, str] = field(default_factory=dict)

    def add(self, resources: Sequence[Resource], header: str) -> None:
        """Declare resources: in the file that has their section, else in one of its own that begins with `header`."""
        children, added = children_of(resources), {resource.address for resource in resources}
        mails = {name: {"description": "An e-mail address.", "default": text} for text, name in self.variables.items()}
        self._name(mails, header)
        roots: set[str] = set()
        puts: dict[str, list[tuple[str, tuple[str, ...], dict[str, object]]]] = defaultdict(list)
        for resource in resources:
            if resource.parent in added:
                continue
            place = self._place(resource)
            if place is None:
                roots.add(resource.address)
            elif isinstance(place, Refusal):
                self.rewriting.refused.append(place)
            else:
                file, path = place
                content = content_of(resource, children, self.kinds, self.variables)
                puts[file].append((resource.address, path, content))
        fresh = [resource for resource in resources if resource.address in roots or resource.parent in roots]
        for file, text in dump(fresh, self.kinds, self.variables).items():
            self._begin(self._file(PurePosixPath(file).stem), text, header)
        for file, entries in puts.items():
            self.rewriting.add(file, sorted(entries))

    def _place(self, resource: Resource) -> tuple[str, tuple[str, ...]] | Refusal | None:
        """Return the file that declares a new resource, and its path in there; None where no file has its section."""
        places, layer, kind = self.rewriting.places, self.rewriting.layer, self.kinds[resource.kind]
        if layer is not None:
            return layer.file, places.path(resource.address)
        if resource.parent is None:
            source = places.section(kind.section)
            return (source.file, (kind.section, resource.key)) if source is not None else None
        entry = places.entry(resource.parent)
        if entry is None or entry.key.source in places.included:
            reason = f"it is new, and {resource.parent} cannot be changed where it is declared"
            return Refusal(resource.address, "", reason)
        inside = nesting(self.kinds[kind.nested], resource.kind)
        own = key_of(resource.address).rpartition(".")[2]
        return entry.key.source.file, (*places.path(resource.parent), inside, own)

    def _file(self, section: str) -> str:
        """Return the file for a section that no file has: of its own, where the project has a folder for it."""
        places = self.project.project.config
        folder = next((name for name in places if not name.endswith((".yaml", ".yml"))), None)
        return PurePosixPath(folder, f"{section}.yaml").as_posix() if folder is not None else places[0]

    def _begin(self, file: str, text: str, header: str) -> None:
        """Write a new file, or go on at the end of one that holds other sections."""
        before = self.rewriting.text(file)
        start = f"{before.rstrip()}\n\n" if before.strip() else self._head(file, header)
        self.rewriting.texts[file] = start + text

    def _head(self, file: str, header: str) -> str:
        """Return how a new file begins: with what editors check it by, where the project has schemas."""
        return self.modeline(file) + header

    def pin(self, ids: Iterable[tuple[Resource, str]], pins: Iterable[Import], header: str) -> None:
        """Tell namesakes apart by their ids, which every environment gives for itself."""
        pinned = {block.target for block in pins}
        wanted = {address: identity for address, identity in self._namesakes(ids) if address not in pinned}
        if not wanted:
            return
        names = {address: f"id_{address.replace('.', '_').replace('-', '_')}" for address in wanted}
        variable = {"description": "An id that tells namesakes apart; empty where there is none yet.", "default": ""}
        self._name(dict.fromkeys(names.values(), variable), header)
        self.values |= {names[address]: identity for address, identity in wanted.items()}
        places = self.rewriting.places
        blocks = [{"to": address, "id": f"${{var.{names[address]}}}"} for address in wanted if not places.pins(address)]
        if not blocks:
            return
        file = self._file("imports")
        old = places.plain_file(file).get("imports") or []
        edits = [Put(("imports",), [*old, *blocks])]
        self.rewriting.texts[file] = edited(self.rewriting.text(file) or self._head(file, header), edits, file)

    def _namesakes(self, ids: Iterable[tuple[Resource, str]]) -> list[tuple[str, str]]:
        """Return the address and id of each object that shares its first natural key with another one."""
        groups: dict[tuple[object, ...], list[tuple[str, str]]] = defaultdict(list)
        for resource, identity in ids:
            keys = self.kinds[resource.kind].natural_keys(resource.attrs)
            if keys:
                groups[(resource.kind, *keys[0])].append((resource.address, identity))
        return [namesake for group in groups.values() if len(group) > 1 for namesake in group]

    def _name(self, wanted: Mapping[str, Mapping[str, str]], header: str) -> None:
        """Declare the variables that are not."""
        places = self.rewriting.places
        news = {name: variable for name, variable in sorted(wanted.items()) if name not in places.variables}
        if not news:
            return
        source = places.section("variables")
        file = source.file if source is not None else self._file("variables")
        edits: list[Edit] = [Put(("variables", name), dict(variable)) for name, variable in news.items()]
        self.rewriting.texts[file] = edited(self.rewriting.text(file) or self._head(file, header), edits, file)

    def project_file(self) -> dict[str, str]:
        """Return the project file with the values of new variables, if there are any."""
        if not self.values:
            return {}
        source = self.project.tree.source
        place = ("environments", self.environment, "variables")
        edits = [Put((*place, name), text) for name, text in sorted(self.values.items())]
        return {PROJECT_FILE: edited(source.text, edits, PROJECT_FILE)}
