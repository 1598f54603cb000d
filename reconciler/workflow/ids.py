"""The verb `ids`: the ids that accounts have for the keys of the configuration, as code.

Ids come from the states. The account is asked only for what no state knows: objects that are declared and not bound,
names that it gave by itself, and ids of options. That is one look at the kinds concerned.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Coroutine, Iterable, Sequence, Set
from dataclasses import replace
from pathlib import Path

from reconciler.config import load_project
from reconciler.deriving.id_catalog import catalog_of
from reconciler.deriving.known_ids import KnownIds, unseen
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import AuthError, IncompleteListing, ReconcilerError
from reconciler.model.ids import Language
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change
from reconciler.model.project import IdsOutput
from reconciler.model.records import record
from reconciler.planning.planner import plan
from reconciler.planning.reads import of_kinds, wanted
from reconciler.render.code import is_generated, rendered
from reconciler.store.atomic import write_file
from reconciler.store.reading import read_regular
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.observing import Observation, connected
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.session import Session

ALL = "all"
GO_KEYWORDS = frozenset(
    """break case chan const continue default defer else fallthrough for func go goto if import interface map package
    range return select struct switch type var main""".split()
)


@record
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


async def ids_of(session: Session, kinds: Sequence[str], *, offline: bool, guards_from: str | None = None) -> KnownIds:
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
    side = KnownIds(session.settings.name, session.kinds, resources, bindings)
    asked = () if offline else tuple(address for address in resources if _asks(side, address))
    if not asked:
        return side
    return await _asked(open_session(session.folder, side.name, session.runtime, guards_from=guards_from), side, asked)


def _whole_kind(resource: Resource, session: Session) -> str:
    """Return the kind that is chosen: what is nested comes with what it is in."""
    return session.kinds[resource.kind].nested or resource.kind


def _asks(side: KnownIds, address: str) -> bool:
    """Return whether only the account knows all that code wants of an object."""
    known = side.values(address)
    if not known["id"] or not {"id", *side.kinds[kind_of(address)].identity.code_names} <= known.keys():
        return True
    return any(unseen(part) for group in side.parts(address) for part in group.parts)


async def _asked(session: Session, side: KnownIds, addresses: Iterable[str]) -> KnownIds:
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


Wait = Callable[[Coroutine[object, object, KnownIds]], KnownIds]
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
