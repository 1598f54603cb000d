"""Looking at an account: connected to the right one, read the cheapest way, with what is known of whose key it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from reconciler.engine.refresh import Refreshed, refresh
from reconciler.engine.remotes import Filed
from reconciler.model.account_url import vendor_name
from reconciler.model.desired import Desired
from reconciler.model.errors import (
    AuthError,
    RemoteError,
    StateError,
    concerns_all,
)
from reconciler.model.http import Remote, Request, at, get
from reconciler.model.plan import Plan
from reconciler.model.ports import Hold
from reconciler.model.records import mutable
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.state import State
from reconciler.planning.context import Inputs
from reconciler.planning.reads import all_reads, concludes
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.observation.reading import read
from reconciler.workflow.opening.session import Session

EYES_REQUESTS = 2
"""What asking costs: the key's user, and its user group."""


def account_requests(session: Session) -> int:
    """Return how many requests `check_account` sends."""
    return 2 if session.settings.account else int(_asks_its_name(session))


def account_name(session: Session) -> str:
    """Return what people call the account: the name in the project file, else what its address says."""
    return session.settings.account or vendor_name(session.identity) or session.identity


def _asks_its_name(session: Session) -> bool:
    """Return whether only the account's own name tells if it is the production account of another environment."""
    return session.settings.doubted and session.remote is None and not session.settings.production_by


async def check_account(session: Session, remote: Remote, state: State | None) -> None:
    """Refuse to go on against another account than the project and the state say. Raises AuthError or StateError."""
    if state is not None and state.account and state.account != session.identity:
        raise StateError(
            f"the state at {session.store.where} belongs to {state.account}, not to {session.identity}",
            hint="give this environment a state of its own (`state:`), or correct its `url`",
        )
    wanted = session.settings.account
    if not wanted and not _asks_its_name(session):
        return
    if wanted:
        await remote.send(get("/users/me"))
    names, why = await _names(remote)
    session.names[session.settings.url] = frozenset(names)
    if wanted:
        _check_name(session, wanted, names, why)


def _check_name(session: Session, wanted: str, names: set[str], why: str) -> None:
    label = session.identity.partition("/")[0].partition(".")[0]
    if not names:
        _agree(session, wanted, {label}, f" ({why}, so the host decides)")
        return
    _agree(session, wanted, names)
    if vendor_name(session.identity) and label not in names:
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
    session: Session, remote: Remote, inputs: Inputs, work: Callable[[Inputs], Plan], plan: Plan | None = None
) -> tuple[Plan, Inputs]:
    """Return the plan, made again with what is known of the eyes where it concludes anything from what is not shown."""
    plan = plan or work(inputs)
    if not concludes(plan, inputs):
        return plan, inputs
    inputs = replace(inputs, eyes=await eyes_of(session, remote))
    return work(inputs), inputs


class Observation(NamedTuple):
    """What one look at an account found, beside what the state says: everything that a plan is made from but the
    declarations. `reads` are the kinds that were asked for, each with its attributes.
    """

    account: Connected
    reads: Mapping[str, frozenset[str]]
    refreshed: Refreshed
    snapshot: Snapshot

    @property
    def book(self) -> StateTransaction:
        """The state that goes with the account."""
        return self.account.book

    def inputs(
        self,
        *,
        desired: Desired,
        only: frozenset[str] | None = None,
        tearing_down: bool = False,
        in_flight: frozenset[str] = frozenset(),
    ) -> Inputs:
        """Return what a plan of these declarations is made from."""
        return Inputs(
            desired=desired,
            state=self.book.state(),
            snapshot=self.snapshot,
            kinds=self.account.session.kinds,
            secret=self.account.session.secret,
            intents=self.book.intents(),
            only=only,
            tearing_down=tearing_down,
            in_flight=in_flight,
        )


@mutable
class Connected:
    """A verb's way to the account that its session means, with the state that goes with it, which is read when it is
    asked for. Use `connected`.
    """

    session: Session
    remote: Remote
    proven: bool = False
    """Whether the state is about this account: what it manages is then not believed to be offered no more."""

    @cached_property
    def book(self) -> StateTransaction:
        """The state of the session."""
        return open_book(self.session)

    async def observe(self, reads: Mapping[str, frozenset[str]]) -> Observation:
        """Read these kinds in full. Raises AuthError, Limited, Unreachable."""
        self.session.expects(reads)
        return self._seen(reads, await refresh(self.remote, self.session.kinds, reads))

    async def observe_for(
        self, desired: Desired, reads: Mapping[str, frozenset[str]], state: State | None = None
    ) -> Observation:
        """Read what a plan of these declarations needs the cheapest way; `state` as far as the plan is about it."""
        kinds, state = self.session.kinds, state or self.book.state()
        self.session.expects(reads)
        return self._seen(reads, await read(self.remote, kinds, reads, desired, state, self.book.intents()))

    async def observe_all(self, only: frozenset[str] | None = None) -> Observation:
        """Read every kind that can be managed (of these), and those they refer to."""
        return await self.observe(all_reads(self.session.kinds, only))

    def _seen(self, reads: Mapping[str, frozenset[str]], refreshed: Refreshed) -> Observation:
        seen = snapshot(self.session.kinds, reads, refreshed.tables)
        if file := self._file():
            seen = seen._replace(unknown={name: f"{file}: {why}" for name, why in seen.unknown.items()})
        if seen.absent and self.proven:
            managed = {binding.kind for binding in self.book.state().resources.values()}
            seen = seen._replace(absent=seen.absent - managed)
        return Observation(self, reads, refreshed, seen)

    def _file(self) -> str:
        """Return the file that stands for the account, "" where it is one."""
        remotes: tuple[object, ...] = (self.remote, self.session.remote)
        return next((remote.where for remote in remotes if isinstance(remote, Filed)), "")

    async def eyes(self) -> Eyes:
        """Return whose key the account is read with; see `eyes_of`."""
        return await eyes_of(self.session, self.remote)


@asynccontextmanager
async def connected(
    session: Session,
    *,
    book: StateTransaction | None = None,
    through: Callable[[Remote], Remote] = lambda remote: remote,
    proves_state: bool = True,
    restoring: Hold | None = None,
) -> AsyncIterator[Connected]:
    """Connect to the account, and prove that it is the right one; `through` puts a remote around the connection.

    With `restoring`, records may be put back while that lock is held; without `proves_state`, the state of the session
    is not what the verb is about, and is not read. Raises AuthError or StateError, and what opening either raises.
    """
    async with AsyncExitStack() as stack:
        remote = through(session.connect(stack, write=False, restore=restoring is not None, hold=restoring))
        account = Connected(session, remote, proves_state)
        if book is not None:
            account.book = book
        await check_account(session, remote, account.book.stored if proves_state else None)
        yield account
