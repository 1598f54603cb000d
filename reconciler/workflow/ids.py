"""The verb `ids`: the ids that accounts have for the keys of the configuration, as code.

Ids come from the states. The account is asked only for what no state knows: objects that are declared and not bound,
names that it gave by itself, and ids of options. That is one look at the kinds concerned.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.config import load_project
from reconciler.model.address import abridged, kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import AuthError, IncompleteListing, PlanError, ReconcilerError
from reconciler.model.ids import Entry, IdCatalog, Language, Part, PartGroup, Section, Values
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change
from reconciler.model.project import IdsOutput
from reconciler.model.redaction import redactor
from reconciler.model.state import Binding
from reconciler.model.values import Value, carries_secret, decode
from reconciler.planning.planner import plan
from reconciler.planning.reads import of_kinds, wanted
from reconciler.render.code import is_generated, rendered
from reconciler.store.atomic import write_file
from reconciler.store.reading import read_regular
from reconciler.workflow.book import open_book
from reconciler.workflow.observing import Observation, connected
from reconciler.workflow.opening import open_session
from reconciler.workflow.runtime import Runtime
from reconciler.workflow.session import Session

ALL = "all"
GO_KEYWORDS = frozenset(
    """break case chan const continue default defer else fallthrough for func go goto if import interface map package
    range return select struct switch type var main""".split()
)


@dataclass(frozen=True)
class IdsFile:
    """One file that is asked for, or an output of the project; `path` None is standard output."""

    language: Language
    path: Path | None
    environments: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    partial: bool = False
    offline: bool = False
    within: Path | None = None
    """The folder that the file may not leave, by no symbolic link either."""

    @classmethod
    def of(cls, output: IdsOutput) -> IdsFile:
        """Return the file of an output of the project in the current folder."""
        names = (output.environments,) if isinstance(output.environments, str) else tuple(output.environments)
        kinds = tuple(output.kinds)
        return cls(output.lang, Path(output.file), names, kinds, output.partial, output.offline, Path())

    @property
    def package(self) -> str:
        """What Go calls the package: the name of the folder, where that can be one."""
        name = self.path.resolve().parent.name if self.path is not None else ""
        return name if re.fullmatch(r"[a-z][a-z0-9]*", name) and name not in GO_KEYWORDS else "ids"


@dataclass(frozen=True)
class _Side:
    """One environment: what is declared, what its state knows, and what its account says where it was asked."""

    name: str
    kinds: Kinds
    resources: Mapping[str, Resource]
    bindings: Mapping[str, Binding]
    adopted: Mapping[str, Live] = field(default_factory=dict)
    lives: Mapping[tuple[str, str], Live] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    """Addresses whose object was looked for in the account, and is not there any more."""

    def live(self, address: str) -> Live | None:
        """Return the live object, where the account was asked for it."""
        adopted = self.adopted.get(address)
        binding = self.bindings.get(address)
        return adopted or (self.lives.get((binding.kind, binding.id)) if binding is not None else None)

    def identity(self, address: str) -> str | None:
        """Return the id of a declared address; None where neither the state nor the account has one."""
        if address in self.gone:
            return None
        live = self.adopted.get(address)
        binding = self.bindings.get(address)
        return live.id if live is not None else binding.id if binding is not None else None

    def attrs(self, address: str) -> Mapping[str, Value]:
        """Return what the account holds of an object as far as it is known: as read, as last applied, as declared."""
        declared, binding, live = self.resources[address].attrs, self.bindings.get(address), self.live(address)
        applied = {name: decode(value) for name, value in binding.applied.items()} if binding is not None else declared
        return {**applied, **({name: value for name, value in live.attrs.items() if name in applied} if live else {})}

    def values(self, address: str) -> Values:
        """Return id and names of an object."""
        kind, live, attrs = self.kinds[kind_of(address)], self.live(address), self.attrs(address)
        named = {"id": self.identity(address) or ""}
        for name in kind.identity.code_names:
            value = live.attrs.get(name) if live is not None else attrs.get(name)
            if isinstance(value, str) and value and not carries_secret(value):
                named[name] = redactor().show(value)
        return named

    def parts(self, address: str) -> tuple[PartGroup, ...]:
        """Return what code names inside the object, as far as it is there."""
        groups = []
        for group in self._declared(address):
            there = self._there(address, group.name)
            groups.append(replace(group, parts=tuple(part for part in group.parts if part.key in there)))
        return tuple(groups)

    def missing(self) -> list[str]:
        """Return the addresses, and the parts of objects, that are declared and have no id."""
        names = []
        for address in self.resources:
            if self.identity(address) is None:
                names.append(address)
                continue
            for group in self._declared(address):
                there = self._there(address, group.name)
                names += [f"{address} ({part.key})" for part in group.parts if part.key not in there]
        return names

    def _declared(self, address: str) -> tuple[PartGroup, ...]:
        return self.kinds[kind_of(address)].inside(self.resources[address].attrs, self.live(address))

    def _there(self, address: str, group: str) -> frozenset[str]:
        """Return the keys of the parts whose ids the account told, where it was asked; that were applied otherwise."""
        live = self.live(address)
        kind, attrs = self.kinds[kind_of(address)], self.resources[address].attrs
        groups = kind.inside(attrs if live is not None else self.attrs(address), live)
        parts = [part for there in groups if there.name == group for part in there.parts]
        return frozenset(part.key for part in parts if live is None or not _unseen(part))


def _unseen(part: Part) -> bool:
    """Return whether an account that was asked does not hold a part."""
    return None in part.values.values()


async def ids_of(session: Session, kinds: Sequence[str], *, offline: bool, guards_from: str | None = None) -> _Side:
    """Return what is known of an environment; reads only. Raises ConfigError, StateError, and what reading raises."""
    desired = session.load(offline=True).desired
    resources = {
        address: resource
        for address, resource in desired.resources.items()
        if not kinds or _whole_kind(resource, session) in kinds
    }
    known = open_book(session).state().resources
    bindings = {address: known[address] for address in resources if address in known}
    for block in desired.moved:
        if block.target in resources and block.target not in known and block.source in known:
            bindings[block.target] = known[block.source]
    side = _Side(session.settings.name, session.kinds, resources, bindings)
    asked = () if offline else tuple(address for address in resources if _asks(side, address))
    if not asked:
        return side
    return await _asked(open_session(session.folder, side.name, session.runtime, guards_from=guards_from), side, asked)


def _whole_kind(resource: Resource, session: Session) -> str:
    """Return the kind that is chosen: what is nested comes with what it is in."""
    return session.kinds[resource.kind].nested or resource.kind


def _asks(side: _Side, address: str) -> bool:
    """Return whether only the account knows all that code wants of an object."""
    known = side.values(address)
    if not known["id"] or not {"id", *side.kinds[kind_of(address)].identity.code_names} <= known.keys():
        return True
    return any(_unseen(part) for group in side.parts(address) for part in group.parts)


async def _asked(session: Session, side: _Side, addresses: Iterable[str]) -> _Side:
    """Look at the kinds of these objects once; what is not bound is found as a plan finds it."""
    desired = session.load(offline=True).desired
    some = {address: desired.resources[address] for address in addresses}
    async with connected(session) as account:
        state = account.book.state()
        kinds = {resource.kind for resource in some.values()}
        observed = await account.observe(wanted(Desired(some), of_kinds(state, kinds), session.kinds))
        _check_read(observed, kinds)
        unbound = frozenset(address for address in some if address not in side.bindings)
        planned = plan(observed.inputs(desired=desired, only=unbound)) if unbound else None
    adopted = _found(planned.changes, unbound) if planned is not None else {}
    lives = {(kind, live.id): live for kind in kinds for live in observed.snapshot.lives.get(kind, ())}
    bound = {address: side.bindings[address] for address in some if address in side.bindings}
    gone = frozenset(address for address, binding in bound.items() if (binding.kind, binding.id) not in lives)
    return replace(side, adopted=adopted, lives=lives, gone=gone)


def _found(changes: Iterable[Change], addresses: Set[str]) -> dict[str, Live]:
    """Return the objects that a plan takes over at these addresses."""
    return {
        change.address: change.live
        for change in changes
        if change.address in addresses and change.live is not None and change.action is not Action.CREATE
    }


def _check_read(observed: Observation, kinds: Iterable[str]) -> None:
    """Raise AuthError or IncompleteListing where a kind could not be read: what only the account knows would be missing
    without a word.
    """
    session, tables = observed.account.session, observed.refreshed.tables.unknown
    for kind in (session.kinds[name] for name in sorted(kinds)):
        if (why := observed.snapshot.unknown.get(kind.name)) is not None:
            message = f"`{session.settings.name}` does not show each {kind.title.lower()}: {why}"
            hint = "use a key that may read them, leave them out with --kinds, or ask no account with --offline"
            known = (tables.get(collection.name) for collection in kind.reading.collections)
            forbidden = any(unknown.forbidden for unknown in known if unknown is not None)
            raise (AuthError if forbidden else IncompleteListing)(message, hint=hint)


def catalog_of(sides: Sequence[_Side], *, partial: bool) -> IdCatalog:
    """Return what code may name. Raises PlanError where an environment has no id for what it declares, unless
    `partial`.
    """
    missing = {side.name: side.missing() for side in sides}
    if any(missing.values()) and not partial:
        raise PlanError(
            "; ".join(f"`{name}` has no id for {abridged(some)}" for name, some in missing.items() if some),
            hint="apply there first, leave the environment out, or use --partial: code has to expect then that such an "
            "object is not there",
        )
    return IdCatalog(tuple(side.name for side in sides), _sections(sides))


def _sections(sides: Sequence[_Side]) -> tuple[Section, ...]:
    addresses = dict.fromkeys(address for side in sides for address in side.resources)
    kinds = sides[0].kinds
    entries: dict[str, list[Entry]] = {}
    children: dict[str, list[str]] = {}
    for address in addresses:
        kind = kinds[kind_of(address)]
        if kind.nested:
            children.setdefault(kind.parent_of(address), []).append(address)
    for address in addresses:
        kind = kinds[kind_of(address)]
        if not kind.nested:
            entries.setdefault(kind.section, []).append(_entry(sides, address, kind.section, children))
    order = [kind.section for kind in kinds.values() if kind.section in entries]
    return tuple(
        Section(name, entries[name][0].noun, tuple(sorted(entries[name], key=lambda entry: entry.key)))
        for name in order
    )


def _entry(sides: Sequence[_Side], address: str, path: str, children: Mapping[str, Sequence[str]]) -> Entry:
    holding = [side for side in sides if address in side.resources]
    resource, kind = holding[0].resources[address], holding[0].kinds[kind_of(address)]
    key = address.rpartition(".")[2]
    mine = f"{path}.{key}"
    nested: dict[str, list[Entry]] = {}
    for child in children.get(address, ()):
        name = _nested_name(kind, kind_of(child))
        nested.setdefault(name, []).append(_entry(sides, child, f"{mine}.{name}", {}))
    own = tuple(Section(name, entries[0].noun, tuple(entries)) for name, entries in nested.items())
    known = {side.name: side.values(address) for side in holding if side.identity(address) is not None}
    groups = {side.name: side.parts(address) for side in holding if side.name in known}
    return Entry(
        key,
        mine,
        address,
        kind.spec.__name__,
        _doc(resource, kind),
        known,
        (*own, *_parts(groups, mine, address)),
        resource.at,
    )


def _nested_name(kind: Kind, child: str) -> str:
    """Return the attribute in which objects of another kind are declared."""
    mark = kind.nesting(child)
    return next(
        (name for name, attribute in kind.attributes.items() if mark is not None and mark in attribute.marks), child
    )


def _doc(resource: Resource, kind: Kind) -> str:
    """Return what a person would want to read: the description, or the name where the kind has one that is no
    person's.
    """
    for name in ("description", "title", "label", "name"):
        text = resource.attrs.get(name)
        known = kind.attributes.get(name)
        if isinstance(text, str) and text and known is not None and not carries_secret(text) and not known.hides(text):
            return redactor().show(text)
    return ""


def _parts(groups: Mapping[str, Sequence[PartGroup]], path: str, address: str) -> tuple[Section, ...]:
    """Return the parts of an object in all environments, in the order of the first one that has each."""
    names = dict.fromkeys((group.name, group.noun) for known in groups.values() for group in known)
    sections = []
    for name, noun in names:
        parts: dict[str, dict[str, Part]] = {}
        for environment, known in groups.items():
            for part in (part for group in known if group.name == name for part in group.parts):
                parts.setdefault(part.key, {})[environment] = part
        entries = [_part(part, f"{path}.{name}.{key}", f"{address}.{name}.{key}", noun) for key, part in parts.items()]
        sections.append(Section(name, noun, tuple(entries)))
    return tuple(sections)


def _part(parts: Mapping[str, Part], path: str, address: str, noun: str) -> Entry:
    first = next(iter(parts.values()))
    values = {
        environment: {name: value for name, value in part.values.items() if value is not None}
        for environment, part in parts.items()
    }
    inner = _parts({environment: part.groups for environment, part in parts.items()}, path, address)
    doc = redactor().show(first.description or first.key)
    return Entry(first.key, path, address, noun, doc, values, inner, None, False)


Wait = Callable[[Coroutine[object, object, _Side]], _Side]
"""What runs a look at an account."""


def chosen(folder: Path, names: Sequence[str]) -> list[str | None]:
    """Return the environments that are meant: `all` is every one, unless one is called so. Raises ConfigError."""
    known = list(load_project(folder).project.environments)
    if not names:
        return [None]
    environments = [
        environment for name in names for environment in (known if name == ALL and ALL not in known else [name])
    ]
    return list(dict.fromkeys(environments))


def text_of(folder: Path, asked: IdsFile, runtime: Runtime, wait: Wait, guards_from: str | None = None) -> str:
    """Return the file, as it has to be now; with `guards_from`, of the accounts that this reference says. Raises what
    reading and naming raise.
    """
    sides = []
    for name in chosen(folder, asked.environments):
        session = open_session(folder, name, runtime, offline=True, guards_from=guards_from)
        for kind in asked.kinds:
            session.chosen_kinds(kind)
        sides.append(wait(ids_of(session, asked.kinds, offline=asked.offline, guards_from=guards_from)))
    catalog = catalog_of(sides, partial=asked.partial)
    return rendered(catalog, asked.language, asked.package)


def outputs_of(session: Session) -> list[IdsFile]:
    """Return the outputs of the project that are written after a change of this environment."""
    name = session.settings.name
    return [
        IdsFile.of(output)
        for output in session.project.project.outputs
        if output.after_apply and (output.environments == ALL or name in output.environments)
    ]


def present(asked: IdsFile) -> str | None:
    """Return what a file holds, None where there is none. Raises ReconcilerError for one that `ids` did not write, and
    for one that is not where it says.
    """
    path = asked.path
    if path is None:
        return None
    if asked.within is not None:
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(asked.within))
        if not inside:
            raise ReconcilerError(f"{path} leads out of the project", hint="name a file below the project's folder")
    if not os.path.lexists(path):
        return None
    try:
        text = read_regular(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReconcilerError(f"{path} cannot be read: {error}", hint="name another file") from error
    if text and not is_generated(text):
        raise ReconcilerError(
            f"{path} is there already and was not written by `ids`; nothing was written over it",
            hint="name another file, or remove this one",
        )
    return text


def write(asked: IdsFile, text: str) -> bool:
    """Write a file, unless it is as it has to be; return whether it was another one."""
    if asked.path is None or present(asked) == text:
        return False
    write_file(asked.path, text.encode("utf-8"))
    return True
