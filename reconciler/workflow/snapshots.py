"""Snapshots: recording an account's answers, and planning from them without a network."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler import __version__
from reconciler.model import values
from reconciler.model.desired import Desired, Resource
from reconciler.model.documents import read_json
from reconciler.model.errors import AuthError, ConfigError, ReconcilerError, Rejected, RemoteError, concerns_all
from reconciler.model.http import Remote, Request, Response, get
from reconciler.model.redaction import Redactor
from reconciler.model.snapshot import Snapshot
from reconciler.model.snapshot_file import RECORDING_FORMAT, Exchange, Recording, private, without_secrets
from reconciler.model.values import Lookup, Value
from reconciler.store.atomic import write_file
from reconciler.workflow.exporting import read_all
from reconciler.workflow.files import check_out
from reconciler.workflow.identity import check_account
from reconciler.workflow.session import Session
from reconciler.workflow.sight import ask

EXTRAS = ("/webhook/events",)
"""Reads beside the listings that planning may want; whose key it was is asked too."""


class Recorder:
    """A remote that passes everything on and keeps the answers to reads."""

    def __init__(self, remote: Remote, redactor: Redactor) -> None:
        self._remote, self._redactor = remote, redactor
        self.exchanges: list[Exchange] = []

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        try:
            answer = await self._remote.send(request)
        except (AuthError, RemoteError) as error:
            if not concerns_all(error):
                self._keep(request, _status(error), None)
            raise
        self._keep(request, answer.status, answer.body)
        return answer

    def _keep(self, request: Request, status: int, body: Any) -> None:
        if request.method == "GET":
            kept = without_secrets(body, self._redactor)
            self.exchanges.append(Exchange(path=request.path, query=list(request.query), status=status, body=kept))


def _status(error: ReconcilerError) -> int:
    """Return the status that stands in a snapshot for an answer that was none: from there it is as unknown."""
    return error.status if isinstance(error, Rejected) else 403 if isinstance(error, AuthError) else 500


class Masked:
    """A remote whose answers are made unreadable like those of a snapshot, to compare them with one."""

    def __init__(self, remote: Remote, redactor: Redactor) -> None:
        self._remote, self._redactor = remote, redactor

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        answer = await self._remote.send(request)
        return Response(answer.status, without_secrets(answer.body, self._redactor), answer.headers)


class Replay:
    """A remote that answers reads from a recording; what was not recorded does not exist."""

    def __init__(self, recording: Recording) -> None:
        self._answers = {(one.path, tuple(map(tuple, one.query))): one for one in recording.exchanges}
        self.requests = 0

    async def send(self, request: Request) -> Response:
        """Answer a read; a dry run is not known to fail. Raises Rejected for what is not there."""
        if request.writes:
            raise ReconcilerError(f"a snapshot cannot be written to ({request})")
        if request.dry_run:
            return Response(200, request.body)
        self.requests += 1
        found = self._answers.get((request.path, request.query))
        if found is None or not 200 <= found.status < 300:
            status = found.status if found is not None else 404
            raise Rejected(f"{request} is not in the snapshot ({status})", status=status)
        return Response(found.status, found.body)


async def record(session: Session, names: frozenset[str] | None = None) -> Recording:
    """Read the account's configuration (of these kinds) and return it as a recording. Writes nothing."""
    async with AsyncExitStack() as stack:
        recorder = Recorder(session.connect(stack, write=False), session.redactor)
        await check_account(session, recorder, None)
        await read_all(session, recorder, names)
        for path in EXTRAS:
            try:
                await recorder.send(get(path))
            except ReconcilerError:
                continue
        await ask(recorder)
    return Recording(
        tool_version=__version__,
        taken_at=session.around.stamp(),
        environment=session.settings.name,
        account=session.identity,
        exchanges=recorder.exchanges,
    )


async def unread(session: Session, recording: Recording, names: frozenset[str] | None = None) -> Snapshot:
    """Return what a recording tells, read as an account is: with the kinds that could not be read."""
    return await read_all(session, Replay(recording), names)


def write_recording(recording: Recording, path: Path) -> None:
    """Write a snapshot file. Raises ReconcilerError where something else stands there."""
    check_recording_out(path)
    write_file(path, (recording.model_dump_json(indent=1) + "\n").encode())


def check_recording_out(path: Path) -> None:
    """Raise ReconcilerError where a snapshot would be written over something that is none."""
    check_out(path, lambda content: "exchanges" in content, "a snapshot")


def read_recording(path: Path) -> Recording:
    """Read a snapshot file. Raises ReconcilerError."""
    try:
        content = read_json(path.read_bytes())
        found = Recording.model_validate(content)
    except OSError as error:
        raise ReconcilerError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, ValidationError) as error:
        raise ReconcilerError(
            f"{path} is not a snapshot", hint="`reconciler snapshot --out FILE` writes one"
        ) from error
    if found.format_version.partition(".")[0] != RECORDING_FORMAT.partition(".")[0] or not found.exchanges:
        raise ReconcilerError(f"{path} is not a snapshot of a format that this version reads")
    return found


def offline(session: Session, recording: Recording) -> Session:
    """Return the session as it would be on the recorded account: same state, no network, texts unreadable as there."""
    settings = replace(session.settings, account=None)
    return replace(
        session, settings=settings, remote=Replay(recording), adapt=lambda desired: adapted(session, desired)
    )


def adapted(session: Session, desired: Desired) -> Desired:
    """Return what is declared with e-mails and URLs made unreadable as they are in the recording."""
    resources = {address: _adapted(session, one) for address, one in desired.resources.items()}
    return replace(desired, resources=resources)


def _adapted(session: Session, resource: Resource) -> Resource:
    """What holds a secret that is not set here is left out: it cannot be compared."""
    attrs = {}
    for name, value in resource.attrs.items():
        try:
            attrs[name] = values.transform(value, lambda leaf: _leaf(session, leaf))
        except ConfigError:
            continue
    return replace(resource, attrs=attrs)


def _leaf(session: Session, leaf: Value) -> Value:
    if isinstance(leaf, Lookup):
        return replace(leaf, value=private(leaf.value, session.redactor))
    return private(values.reveal(leaf, session.secret), session.redactor) if isinstance(leaf, str) else leaf
