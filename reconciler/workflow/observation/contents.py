"""What one account holds, read whole, for the verbs that take it as the configuration of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import field, replace
from typing import Any

from reconciler.deriving.aside import beside
from reconciler.deriving.export import export_comparable, export_for_files, names_elsewhere, sound, undeclarable_keys
from reconciler.deriving.exported import Exported
from reconciler.deriving.mentions import mentioning, translated
from reconciler.deriving.untold import untold
from reconciler.engine.recordings import Masked, Replay
from reconciler.engine.refresh import Refreshed, refresh
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import ConfigError
from reconciler.model.kind import Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Plan
from reconciler.model.records import record
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.state import Binding, State
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan
from reconciler.planning.reads import all_reads
from reconciler.workflow.observation.observing import connected
from reconciler.workflow.opening.session import Session


@record
class AccountContents:
    """What one side holds: every object that could be managed, as read; `addresses` are those that its state knows."""

    name: str
    seen: Snapshot
    refreshed: Refreshed
    state: State
    requests: int = 0
    exported: list[Exported] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    undeclarable: list[str] = field(default_factory=list)
    """One line for each object that no declaration says, where contents are compared."""
    eyes: Eyes | None = None
    """Whose key it was read with; None: nothing hangs on it."""

    @property
    def unread(self) -> bool:
        """Whether a kind could not be read that the account has."""
        return bool(self.seen.unknown.keys() - self.seen.absent)


def expect(only: frozenset[str] | None, *sessions: Session) -> None:
    """Say that these accounts are going to be read, one after the other, before the first one is."""
    for session in sessions:
        session.expects(all_reads(session.kinds, only))


async def hold(
    session: Session,
    name: str,
    *,
    masked: bool = False,
    only: frozenset[str] | None = None,
    for_files: bool = False,
    reserved: Mapping[str, Set[str]] | None = None,
) -> AccountContents:
    """Read what an environment holds; `for_files`, as far as a configuration can say it, without the addresses that
    other objects have elsewhere (`reserved`). Raises AuthError, IncompleteListing, Unreachable.
    """
    async with connected(session) as account:
        remote = Masked(account.remote, session.redactor) if masked else account.remote
        contents = await contents_of(session, remote, name, account.book.state(), only, for_files, reserved)
        if not any(session.kinds[kind].reading.filtered for kind in contents.seen.lives):
            return contents
        return replace(contents, eyes=await account.eyes(), requests=remote.requests)


def names_there(target: Session, other: AccountContents) -> dict[str, set[str]]:
    """Return what an environment calls its objects, in its state and in its files: one of another account with such a
    key and another name gets a key of its own, the same in every command that looks at both.
    """
    declared: Mapping[str, Resource] = {}
    with suppress(ConfigError):  # two accounts can be compared whatever the files say
        declared = target.load().desired.resources
    return names_elsewhere(other.seen, target.kinds, other.state.resources, declared)


async def contents_of(
    session: Session,
    remote: Any,
    name: str,
    state: State,
    only: frozenset[str] | None,
    for_files: bool = False,
    reserved: Mapping[str, Set[str]] | None = None,
) -> AccountContents:
    """Return what an account holds, or a snapshot of one; see `hold`."""
    kinds, redactor = session.kinds, session.redactor
    reads = all_reads(kinds, only)
    if not isinstance(remote, Replay):
        session.expects(reads)
    refreshed = await refresh(remote, kinds, reads)
    seen = snapshot(kinds, reads, refreshed.tables)
    left_out: list[str] = []
    undeclarable: list[str] = []
    if for_files:
        exported, left_out = export_for_files(seen, kinds, state.resources, only, redactor=redactor, reserved=reserved)
        left_out += [f"{entry.resource.address} is left out: {entry.problem}" for entry in exported if entry.problem]
        left_out += [
            f"{entry.resource.address} is left out: it needs {entry.resource.parent}"
            for entry in exported
            if not entry.problem
            and any(entry.resource.parent == other.resource.address for other in exported if other.problem)
        ]
        exported = sound(exported)
    else:
        exported, undeclarable = export_comparable(
            seen, kinds, state.resources, only, redactor=redactor, reserved=reserved
        )
        left_out = [*undeclarable]
    left_out += beside(seen, kinds, state.resources, only, listed=for_files)
    left_out += [
        f"{entry.resource.address}: {why}"
        for entry in exported
        for why in (*entry.dropped.values(), *entry.partly.values())
    ]
    return AccountContents(name, seen, refreshed, state, remote.requests, exported, left_out, undeclarable)


def pairs(plan: Plan, seen: Snapshot) -> dict[str, Live]:
    """Return which object of an account each address of a plan is."""
    lives = {(kind, live.id): live for kind, lives in seen.lives.items() for live in lives}
    matched = {
        address: live
        for address, identity in plan.ids.items()
        if "[" not in address and (live := lives.get((kind_of(address), identity))) is not None
    }
    return {**matched, **{change.address: change.live for change in plan.changes if change.live is not None}}


def met(inputs: Inputs, exported: list[Exported]) -> tuple[Inputs, Plan]:
    """Return the inputs with ids inside texts as the target has them, and the plan that found out which those are."""
    planned = plan(inputs)
    texts = mentioning(exported, inputs.kinds)
    if not texts:
        return inputs, planned
    ids = {(entry.resource.kind, entry.live.id): entry.resource.address for entry in exported}
    inputs = replace(inputs, desired=with_ids(inputs.desired, inputs.kinds, ids, planned.ids, texts))
    return inputs, plan(inputs)


def unknown_of(contents: AccountContents, kinds: Kinds) -> list[str]:
    """Return what could not be read of one side, each with the reason: kinds, and attributes of what it holds."""
    return [
        *(f"{kind} of {contents.name}: {why}" for kind, why in contents.seen.unknown.items()),
        *(
            f"{contents.name}: {line}"
            for lines in untold(contents.seen, kinds, contents.exported).values()
            for line in lines
        ),
    ]


def with_ids(
    desired: Desired,
    kinds: Kinds,
    source: Mapping[tuple[str, str], str],
    target: Mapping[str, str],
    texts: Mapping[str, list[str]],
) -> Desired:
    """Return the configuration with ids inside texts translated, as far as the target's are known."""
    mentioning = [desired.resources[address] for address in texts if address in desired.resources]
    changed = translated(mentioning, kinds, source, target)
    return desired._replace(resources={**desired.resources, **changed})


def not_shown(
    extra: Mapping[str, Binding], side: AccountContents | Desired, other: Snapshot, kinds: Kinds
) -> dict[str, str]:
    """Return what one side may hold of what only the other one shows, with the reason: its kind, or what it is part of,
    could not be read, its key may not be shown it, or it is there and cannot be declared. Parts of what both show are
    shown too.
    """
    if not isinstance(side, AccountContents):
        return {}
    unread = {
        address: f"{address}: whether {side.name} has it is unknown: {why}"
        for address, binding in extra.items()
        if (why := _unread(side.seen, binding, kinds))
    }
    unread |= {
        address: f"{address}: {side.name} has one of its name, which cannot be declared"
        for address in _with_an_undeclarable_twin(extra, side, other, kinds)
        if address not in unread
    }
    why = side.eyes.why if side.eyes is not None else ""
    if not why:
        return unread
    # A key that sees a part proves nothing by what a listing lacks; a part of an object that both show is shown.
    lacking = {binding.kind for binding in extra.values()}
    return unread | {
        address: f"{address}: {side.name} does not show it, which proves nothing: {why}"
        for address, binding in extra.items()
        if address not in unread
        and kinds[binding.kind].reading.filtered
        and (not kinds[binding.kind].nested or kinds[binding.kind].nested in lacking)
    }


def _unread(seen: Snapshot, binding: Binding, kinds: Kinds) -> str:
    """Return why an account does not say whether it has an object: of its kind, of what it is part of, or of the one
    setting that it is.
    """
    kind = kinds[binding.kind]
    parts = seen.unread.get(binding.kind, {}).get(binding.id) if binding.id in kind.variants else None
    return seen.unknown.get(binding.kind) or seen.unknown.get(kind.nested) or (parts.reason if parts else "")


def _with_an_undeclarable_twin(
    extra: Mapping[str, Binding], contents: AccountContents, other: Snapshot, kinds: Kinds
) -> Iterator[str]:
    """Yield the addresses of objects with the name of one that the other side has and no file can say."""
    named = undeclarable_keys(contents.seen, kinds, {binding.kind for binding in extra.values()})
    lives = {(kind, live.id): live for kind in named for live in other.lives.get(kind, ())}
    for address, binding in extra.items():
        live = lives.get((binding.kind, binding.id))
        if live is not None and not named[binding.kind].isdisjoint(kinds[binding.kind].natural_keys(live.attrs)):
            yield address
