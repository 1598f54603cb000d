"""The verb `compare`: what differs between two accounts, snapshots or projects. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from reconciler import __version__
from reconciler.deriving.copying import (
    Portable,
    inverted,
    listing,
    only_there,
    portable,
    unmatched,
    unseen,
)
from reconciler.deriving.export import names_elsewhere
from reconciler.engine.recordings import Replay
from reconciler.model import document as doc
from reconciler.model.desired import Desired, Import
from reconciler.model.errors import WrongInput
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, Plan
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import record
from reconciler.model.state import State
from reconciler.planning.context import Inputs
from reconciler.planning.declarable import declarable
from reconciler.planning.document import Heading, to_document
from reconciler.planning.mentioned import mentioned
from reconciler.planning.planner import plan
from reconciler.store.snapshotfile import read_snapshot
from reconciler.workflow.observation.contents import (
    AccountContents,
    contents_of,
    expect,
    hold,
    met,
    names_there,
    not_shown,
    pairs,
    unknown_of,
)
from reconciler.workflow.observation.observing import ask_eyes
from reconciler.workflow.observation.unsayable import not_carried, refused
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.session import Session
from reconciler.workflow.snapshots import adapted


@record
class Comparison:
    """What `right` would need to become `left`, as a plan document without steps; `left_out` cannot be compared."""

    document: doc.PlanDocument
    left_out: tuple[str, ...]
    unread: bool = False
    """Whether a kind of one side could not be read."""


async def compare(session: Session, left: str, right: str, only: frozenset[str] | None = None) -> Comparison:
    """Compare two environments, an environment and a folder with a project, or snapshot files. Writes nothing."""
    masked = any(_is_file(session, name) for name in (left, right))
    _expect(session, (left, right), only)
    other = await _side(session, right, masked=masked, only=only)
    first = await _side(session, left, masked=masked, only=only, reserved=_names(session, right, other))
    accounts = [side for side in (first, other) if isinstance(side, AccountContents)]
    turned = isinstance(other, Desired)
    if turned:
        first, other = other, first
    if isinstance(other, Desired):
        raise WrongInput("two folders cannot be compared: one side has to be an account or a snapshot")
    whole, lines = differing(first, other, session)
    asked = 0
    if isinstance(first, AccountContents):
        lines += not_carried(first, other, whole, session)
        reasons, asked = await refused(session, right, whole)
        lines += [f"{address}: {right} would refuse it: {why}" for address, why in reasons.items()]
    whole = inverted(whole) if turned else whole
    spent = doc.Forecast(plan_requests=sum(account.requests for account in accounts) + asked)
    stamp, names, redactor = session.runtime.stamp(), f"{left} -> {right}", session.redactor
    heading = Heading(__version__, stamp, names, right, "", 0, {}, "compare", redactor=redactor)
    unknown = [line for account in accounts for line in unknown_of(account, session.kinds)]
    partly = [f"{account.name}: {line}" for account in accounts for line in account.left_out]
    whole = whole._replace(warnings=(*whole.warnings, *unknown))
    document = to_document(whole, heading, spent, session.kinds)
    known = mentioned(
        document, other.seen.lives, other.refreshed.tables, other.state.resources, session.kinds, redactor.show
    )
    document = doc.sealed(document.model_copy(update={"names": known}))
    return Comparison(document, (*lines, *unknown, *partly), any(account.unread for account in accounts))


def _expect(session: Session, names: Iterable[str], only: frozenset[str] | None) -> None:
    known = [name for name in names if name in session.project.project.environments]
    expect(only, *(open_session(session.folder, name, session.runtime) for name in known))


def differing(first: AccountContents | Desired, other: AccountContents, session: Session) -> tuple[Plan, list[str]]:
    """Return what an account would need to become what one side holds, as a plan without steps, and one line for all
    that cannot be told. What `compare` shows, and what a promotion has to speak of.
    """
    kinds = session.kinds
    carried = Portable(first) if isinstance(first, Desired) else _carried(first, other, kinds)
    exported = [] if isinstance(first, Desired) else first.exported
    empty = State(lineage="compare")
    eyes = other.eyes._replace(strict=True) if other.eyes is not None else None
    inputs = Inputs(
        desired=carried.desired,
        state=empty,
        snapshot=other.seen,
        kinds=kinds,
        secret=session.secret,
        eyes=eyes,
        compares=True,
    )
    inputs, known = met(inputs, exported)
    beyond: list[str] = []
    if isinstance(first, AccountContents):
        desired, beyond = _whole(inputs.desired, known, first, other, kinds)
        inputs = replace(inputs, desired=desired, whole=True)
    extra = unmatched(known, other.seen, kinds, carried.desired.resources, other.state.resources)
    hidden = not_shown(extra, first, other.seen, kinds)
    extra = {address: binding for address, binding in extra.items() if address not in hidden}
    whole = _differences(plan(replace(inputs, state=empty.model_copy(update={"resources": extra}))))
    unsaid = {
        change.address: f"{change.address}: {other.name} has it as no file can say it: {why}"
        for change in whole.changes
        if change.live is not None
        and (why := declarable(kinds[change.kind], change.live, other.seen.untold(change.live)).problem)
    }
    whole = whole._replace(changes=tuple(change for change in whole.changes if change.address not in unsaid))
    return whole, [*carried.left_out, *beyond, *hidden.values(), *unsaid.values()]


def _carried(contents: AccountContents, other: AccountContents, kinds: Kinds) -> Portable:
    """Return one side for the other: what both states know under one address is one object, whatever its name is by
    now; all else meets by name.
    """
    lives = {(kind, live.id) for kind, lives in other.seen.lives.items() for live in lives}
    both = {
        address: binding
        for address, binding in other.state.resources.items()
        if address in contents.state.resources and (binding.kind, binding.id) in lives
    }
    carried = portable(contents.exported, other.seen, kinds, both)
    pins = [Import(address, binding.id) for address, binding in both.items() if address in carried.desired.resources]
    return replace(carried, desired=carried.desired._replace(imports=(*carried.desired.imports, *pins)))


def _whole(
    desired: Desired, known: Plan, contents: AccountContents, other: AccountContents, kinds: Kinds
) -> tuple[Desired, list[str]]:
    """Return one side as all that is to be: empty where only the other one has a value. What either does not tell is
    left out, and named.
    """
    there, resources, beyond = pairs(known, other.seen), dict(desired.resources), []
    listed = listing(other.seen, kinds)
    for entry in contents.exported:
        resource, live = resources.get(entry.resource.address), there.get(entry.resource.address)
        if resource is None or live is None:
            continue
        kind = kinds[resource.kind]
        attrs, blind = dict(resource.attrs), unseen(resource, live, kind)
        beyond += [f"{resource.address}: `{name}` is not shown by {other.name}" for name in blind]
        for path, shown in only_there(entry, live, kind, listed).items():
            if not shown:
                beyond.append(
                    f"{resource.address}: `{path[0]}` is not shown by {contents.name}, and {other.name} has a value"
                )
            elif len(path) == 1:
                attrs[path[0]] = None
        resources[resource.address] = resource._replace(
            attrs={name: value for name, value in attrs.items() if name not in blind}
        )
    return desired._replace(resources=resources), beyond


def _differences(plan: Plan) -> Plan:
    """Return what differs: an object that both hold alike does not differ, and nothing is carried out."""
    changes = tuple(change._replace(adopts=False) for change in plan.changes if change.action is not Action.ADOPT)
    return plan._replace(changes=changes, steps=(), kept=plan.kept + len(plan.changes) - len(changes))


def _is_file(session: Session, name: str) -> bool:
    return name not in session.project.project.environments and (session.folder / name).is_file()


def _names(session: Session, name: str, contents: AccountContents | Desired) -> dict[str, set[str]]:
    """Return what one side calls its objects, so that one of the other side with such a key, and another name, gets the
    address that a promotion or a clone would give it.
    """
    if isinstance(contents, Desired):
        return {}
    if name in session.project.project.environments:
        return names_there(open_session(session.folder, name, session.runtime), contents)
    return names_elsewhere(contents.seen, session.kinds, contents.state.resources, {})


async def _side(
    session: Session,
    name: str,
    *,
    masked: bool,
    only: frozenset[str] | None,
    reserved: Mapping[str, Set[str]] | None = None,
) -> AccountContents | Desired:
    if name in session.project.project.environments:
        opened = open_session(session.folder, name, session.runtime)
        return await hold(opened, name, masked=masked, only=only, reserved=reserved)
    place = session.folder / name
    if place.is_file():
        replay = Replay(read_snapshot(place), name)
        contents = await contents_of(
            session.unprobed(), replay, name, State(lineage="snapshot"), only, reserved=reserved
        )
        return replace(contents, eyes=await ask_eyes(replay))
    if (place / PROJECT_FILE).is_file():
        loaded = open_session(place, None, session.runtime).load().desired
        return adapted(session, loaded) if masked else loaded
    raise WrongInput(
        f"`{name}` is not an environment of this project, a folder with a {PROJECT_FILE}, or a snapshot file",
        hint=f"environments: {', '.join(session.project.project.environments)}",
    )
