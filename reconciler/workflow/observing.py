"""Looking at an account: the right one, with whose eyes, what is wanted of it, the cheapest way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.engine.refresh import Few, Refreshed, refresh
from reconciler.model import values
from reconciler.model.address import key_of, kind_of
from reconciler.model.desired import Desired
from reconciler.model.errors import (
    AuthError,
    RemoteError,
    StateError,
    concerns_all,
)
from reconciler.model.http import Remote, Request, at, get
from reconciler.model.kind import Kinds
from reconciler.model.plan import Plan
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.spec import RefTo
from reconciler.model.state import State
from reconciler.planning.identity import same_birth
from reconciler.planning.sight import concludes
from reconciler.planning.work import Inputs
from reconciler.workflow.session import Session

EYES_REQUESTS = 2
"""What asking costs: the key's user, and its user group."""

VENDOR_DOMAINS = ("api-us1.com", "activehosted.com")
"""Where the first label of the host is the account's name (section 1.1 of the API page)."""


def of_kinds(state: State, names: Iterable[str]) -> State:
    """Return the state with only the bindings of these kinds."""
    chosen = set(names)
    return state.model_copy(
        update={"resources": {address: one for address, one in state.resources.items() if one.kind in chosen}}
    )


def wanted(desired: Desired, state: State, kinds: Kinds) -> dict[str, frozenset[str]]:
    """Return the kinds to read, each with the attributes that anybody declares or that were applied; of variants, with
    the keys too.
    """
    found: dict[str, set[str]] = {}
    for resource in desired.resources.values():
        found.setdefault(resource.kind, set()).update(resource.attrs)
        if kinds[resource.kind].variants:
            found[resource.kind].add(resource.key)
        # What was looked up at the last apply is looked up again, to tell who changed it.
        before = state.resources.get(resource.address)
        held = [values.decode(before.applied.get(name)) for name in resource.attrs] if before else []
        for reference in _references({**resource.attrs, "applied": held}):
            if isinstance(reference, values.Lookup):
                found.setdefault(reference.kind, set())
    for address, binding in state.resources.items():
        if binding.kind in kinds:
            found.setdefault(binding.kind, set()).update(binding.applied)
            if kinds[binding.kind].variants:
                found[binding.kind].add(key_of(address))
    for name, kind in kinds.items():
        if kind.nested in found:
            found.setdefault(name, set())  # what goes with a parent is named, managed or not
    return {name: frozenset(found[name]) for name in kinds if name in found}


def looked_over(desired: Desired, state: State, kinds: Kinds) -> dict[str, frozenset[str]]:
    """Return what to read in order to tell what is filled in beside the declarations: of each kind that is managed
    every attribute, with what costs listings of its own (members, relations).
    """
    managed = {binding.kind for binding in state.resources.values()}
    found = wanted(desired, state, kinds)
    return {name: one | kinds[name].attributes.keys() if name in managed else one for name, one in found.items()}


def _references(attrs: Mapping[str, Any]) -> Iterable[Any]:
    return values.references(dict(attrs))


async def read(
    remote: Remote,
    kinds: Kinds,
    reads: Mapping[str, frozenset[str]],
    desired: Desired,
    state: State,
    intents: Iterable[str] = (),
) -> Refreshed:
    """Read what the kinds need. Where a single object is not surely the one that the state means, its kind is read in
    full: another object may carry its name.
    """
    few = few_of(kinds, reads, desired, state, intents)
    found = await refresh(remote, kinds, reads, few)
    doubtful = {
        name: reads[name] for name in few if _partial(found, kinds, name) and not _sure(found, kinds, name, state)
    }
    if not doubtful:
        return found
    again = await refresh(remote, kinds, doubtful)
    return replace(found, tables=found.tables.merged(again.tables), costs={**found.costs, **again.costs})


def few_of(
    kinds: Kinds, reads: Mapping[str, frozenset[str]], desired: Desired, state: State, intents: Iterable[str] = ()
) -> dict[str, Few]:
    """Return the kinds of which only bound objects matter: all declared ones are bound, nobody looks one up, moves or
    imports one, and no create of one is open.
    """
    searched = {kind_of(address) for address in intents}
    searched |= {kind_of(address) for address in desired.resources if address not in state.resources}
    searched |= {kind_of(block.target) for block in desired.moved} | {kind_of(one.target) for one in desired.imports}
    for resource in desired.resources.values():
        searched |= {one.kind for one in values.references(dict(resource.attrs)) if isinstance(one, values.Lookup)}
    ids: dict[str, set[str]] = {}
    for binding in state.resources.values():
        ids.setdefault(binding.kind, set()).add(binding.id)
    return {
        name: Few(frozenset(ids[name]), kinds[name].wrapper)
        for name in reads
        if kinds[name].reading.singly and name in ids and name not in searched
    }


def again(refreshed: Refreshed, kinds: Kinds, names: Iterable[str]) -> dict[str, Few]:
    """Return how to read these kinds again after an apply: singly, where they were read so before."""
    return {
        name: Few(refreshed.costs[kinds[name].reading.collections[0].name].singles, kinds[name].wrapper, again=True)
        for name in names
        if _partial(refreshed, kinds, name)
    }


def _partial(refreshed: Refreshed, kinds: Kinds, name: str) -> bool:
    cost = refreshed.costs.get(kinds[name].reading.collections[0].name)
    return bool(cost and cost.singles)


def _sure(refreshed: Refreshed, kinds: Kinds, name: str, state: State) -> bool:
    """Tell whether every bound object carries its known name, or was born when the state says."""
    kind = kinds[name]
    lives = {live.id: live for live in snapshot(kinds, [name], refreshed.tables).lives.get(name, ())}
    for binding in state.resources.values():
        if binding.kind != name:
            continue
        live = lives.get(binding.id)
        known = tuple(values.decode(item) for item in binding.natural_key)
        if live is None or not (known in kind.natural_keys(live.attrs) or same_birth(binding.created, live.created)):
            return False
    return True


def account_requests(session: Session) -> int:
    """Return how many requests `check_account` sends."""
    return 2 if session.settings.account else 0


def account_name(session: Session) -> str:
    """Return what people call the account: the name in the project file, else what its address says."""
    label, _, domain = session.identity.partition("/")[0].partition(".")
    return session.settings.account or (label if domain in VENDOR_DOMAINS else session.identity)


async def check_account(session: Session, remote: Remote, state: State | None) -> None:
    """Refuse to go on against another account than the project and the state say. Raises AuthError or StateError."""
    if state is not None and state.account and state.account != session.identity:
        raise StateError(
            f"the state at {session.store.where} belongs to {state.account}, not to {session.identity}",
            hint="give this environment a state of its own (`state:`), or correct its `url`",
        )
    wanted = session.settings.account
    if not wanted:
        return
    label, _, domain = session.identity.partition("/")[0].partition(".")
    await remote.send(get("/users/me"))
    names, why = await _names(remote)
    if not names:
        _agree(session, wanted, {label}, f" ({why}, so the host decides)")
        return
    _agree(session, wanted, names)
    if domain in VENDOR_DOMAINS and label not in names:
        _agree(session, wanted, {label}, " (its host says so, /settings/account says otherwise)")


async def _names(remote: Remote) -> tuple[set[str], str]:
    """Return what the account calls itself, or why it does not: only an Admin's key may ask (section 1.2 of the API
    page), and the path is not in the vendor's OpenAPI file, so that it may be missing.
    """
    try:
        answer = await remote.send(Request("GET", "/settings/account", expect=(404,)))
    except AuthError:
        return set(), "its key may not read /settings/account"
    body = answer.body if answer.ok and isinstance(answer.body, dict) else {}
    return {str(body[key]) for key in ("account", "cname") if body.get(key)}, "/settings/account does not say its name"


def _agree(session: Session, wanted: str, names: set[str], how: str = "") -> None:
    if wanted not in names:
        raise AuthError(
            f"this is the account {' / '.join(sorted(names))}{how}, "
            f"and the environment `{session.settings.name}` is for {wanted}",
            hint="check `url`, `token` and `account` in reconciler.yaml; nothing else was read, nothing was written",
        )


async def eyes_of(session: Session, remote: Remote) -> Eyes:
    """Return the user group of the key's user: `GET /users/me`, and the link `userGroup` of that user (sections 1.2
    and 2.19). An account that refuses either, or says it otherwise, says nothing.
    """
    url = session.settings.url
    if url not in session.eyes:
        session.eyes[url] = await ask_eyes(remote)
    return session.eyes[url]


async def ask_eyes(remote: Remote) -> Eyes:
    """Ask an account, or a snapshot of it; see `eyes_of`."""
    try:
        me = (await remote.send(get("/users/me"))).row("user").get("id")
        if me in (None, ""):
            return Eyes()
        answer = await remote.send(Request("GET", at("/users", me, "userGroup"), expect=(404,)))
        group = answer.row("userGroup") if answer.ok else {}
        if not group and answer.ok:
            group = next(iter(answer.rows("userGroups")), {})
    except (AuthError, RemoteError) as error:
        if concerns_all(error):
            raise
        return Eyes()
    return Eyes(str(group.get("groupid") or group.get("group") or ""))


async def looked_at(
    session: Session, remote: Remote, inputs: Inputs, work: Callable[[Inputs], Plan], made: Plan | None = None
) -> tuple[Plan, Inputs]:
    """Return the plan, made anew with what is known of the eyes where it concludes anything from what is not shown."""
    made = made or work(inputs)
    if not concludes(made, inputs):
        return made, inputs
    inputs = replace(inputs, eyes=await eyes_of(session, remote))
    return work(inputs), inputs


async def read_all(session: Session, remote: Any, only: frozenset[str] | None = None) -> Snapshot:
    """Read every kind that can be managed, and those they refer to."""
    reads = all_reads(session.kinds, only)
    refreshed = await refresh(remote, session.kinds, reads)
    return snapshot(session.kinds, reads, refreshed.tables)


def referred(kinds: Kinds) -> frozenset[str]:
    """Return the kinds that attributes refer to and that an export leaves out: they are read for their names."""
    marks = (attribute.mark(RefTo) for kind in kinds.values() for attribute in kind.attributes.values())
    names = {name for mark in marks if mark is not None for name in mark.every if name in kinds}
    return frozenset(
        name for name in names if not kinds[name].abilities.managed or kinds[name].reading.mostly_unmanaged
    )


def all_reads(kinds: Kinds, only: frozenset[str] | None = None) -> dict[str, frozenset[str]]:
    """Return every kind that can be managed (of these) and those they refer to, with all attributes."""
    wanted = [
        name
        for name, kind in kinds.items()
        if (kind.abilities.managed and (only is None or name in only)) or name in referred(kinds)
    ]
    return {name: frozenset((*kinds[name].attributes, *kinds[name].variants)) for name in wanted}
