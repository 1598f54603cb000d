"""Snapshots: recording an account's answers, and planning from them without a network."""

from __future__ import annotations

import functools
from dataclasses import replace

from reconciler import __version__
from reconciler.engine.recordings import Recorder, Replay
from reconciler.engine.refresh import NO_SUCH_LISTING
from reconciler.model import values
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.http import get
from reconciler.model.snapshot import Snapshot
from reconciler.model.snapshot_file import Exchange, Recording, private
from reconciler.model.values import Lookup, Value
from reconciler.workflow.observation.observing import Connected, Observation, ask_eyes, connected
from reconciler.workflow.opening.session import Session

EXTRAS = ("/webhook/events",)
"""Reads beside the listings that planning may want; whose key it was is asked too."""


async def record(session: Session, names: frozenset[str] | None = None) -> Recording:
    """Read the account's configuration (of these kinds) and return it as a recording. Writes nothing."""
    kept: list[Exchange] = []
    through = functools.partial(Recorder, redactor=session.redactor, exchanges=kept)
    async with connected(session.unprobed(), through=through, proves_state=False) as account:
        await account.observe_all(names)
        for path in EXTRAS:
            try:
                await account.remote.send(get(path))
            except ReconcilerError:
                continue
        await ask_eyes(account.remote)
    return Recording(
        tool_version=__version__,
        taken_at=session.runtime.stamp(),
        environment=session.settings.name,
        account=session.identity,
        exchanges=kept,
    )


async def unread(
    session: Session, recording: Recording, names: frozenset[str] | None = None, where: str = ""
) -> Snapshot:
    """Return what a recording (in the file `where`) tells, read as an account is: with the kinds that are unknown."""
    return (await _observed(session, recording, names, where)).snapshot


async def closed(session: Session, recording: Recording) -> tuple[frozenset[str], frozenset[str]]:
    """Return the paths that cannot be read according to a recording: those that the account refuses, or answers
    so that nothing can be concluded, and those that it does not have.
    """
    seen = await _observed(session, recording)
    unknown, unread = seen.snapshot.unknown, seen.snapshot.unread
    shut = {path for attributes in unread.values() for parts in attributes.values() for path in parts.paths}
    shut |= {path for name in unknown for path in session.kinds[name].reading.collections[0].paths}
    shut |= {cost.path for cost in seen.refreshed.costs.values() if not cost.known}
    statuses = {exchange.path: exchange.status for exchange in recording.exchanges if exchange.path in shut}
    missing = frozenset(path for path in shut if statuses.get(path) in NO_SUCH_LISTING)
    return frozenset(shut - missing), missing


async def _observed(
    session: Session, recording: Recording, names: frozenset[str] | None = None, where: str = ""
) -> Observation:
    return await Connected(session.unprobed(), Replay(recording, where)).observe_all(names)


def offline(session: Session, recording: Recording, where: str) -> Session:
    """Return the session as it would be on the account recorded in the file `where`: same state, no network, texts
    unreadable as there.
    """
    settings = replace(session.settings, account=None)
    remote, session = Replay(recording, where), session.unprobed()
    return replace(session, settings=settings, remote=remote, adapt=lambda desired: adapted(session, desired))


def adapted(session: Session, desired: Desired) -> Desired:
    """Return what is declared with e-mails and URLs made unreadable as they are in the recording."""
    resources = {address: _adapted(session, resource) for address, resource in desired.resources.items()}
    return desired._replace(resources=resources)


def _adapted(session: Session, resource: Resource) -> Resource:
    """What holds a secret that is not set here is left out: it cannot be compared."""
    attrs = {}
    for name, value in resource.attrs.items():
        try:
            attrs[name] = values.transform(value, lambda leaf: _leaf(session, leaf))
        except ConfigError:
            continue
    return resource._replace(attrs=attrs)


def _leaf(session: Session, leaf: Value) -> Value:
    if isinstance(leaf, Lookup):
        return replace(leaf, value=private(leaf.value, session.redactor))
    return private(values.reveal(leaf, session.secret), session.redactor) if isinstance(leaf, str) else leaf
