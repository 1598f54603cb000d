"""The verbs `export` and `import`: bringing what exists under management. Neither writes to the account."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.config import dump
from reconciler.engine.refresh import refresh
from reconciler.model.address import split
from reconciler.model.errors import PlanError, ReconcilerError
from reconciler.model.project import PROJECT_FILE
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.state import Binding, Record
from reconciler.planning.export import bindings_of, export, referred
from reconciler.planning.match import stored_key
from reconciler.workflow.applying import lock_info
from reconciler.workflow.identity import check_account
from reconciler.workflow.session import EMULATOR, Session, open_book, open_session

HEADER = "# Written by `reconciler export`."


@dataclass(frozen=True)
class Outcome:
    """What an export wrote: files, how many resources, kinds that could not be read with the reason."""

    files: tuple[str, ...]
    resources: int
    unknown: dict[str, str]
    requests: int


async def read_all(session: Session, remote: Any, only: frozenset[str] | None = None) -> Snapshot:
    """Read every kind that can be managed, and those they refer to."""
    names = [
        name
        for name, kind in session.kinds.items()
        if (kind.managed and (only is None or name in only)) or name in referred(session.kinds)
    ]
    reads = {name: frozenset((*session.kinds[name].attributes, *session.kinds[name].variants)) for name in names}
    refreshed = await refresh(remote, session.kinds, reads)
    return snapshot(session.kinds, names, refreshed.tables)


async def export_account(session: Session, out: Path | None, kinds: frozenset[str] | None = None) -> Outcome:
    """Write the live account as a project into `out` (default: this project), and bind everything in its state."""
    folder = _absolute(out) if out is not None else session.folder
    async with AsyncExitStack() as stack:
        remote = session.connect(stack, write=False)
        await check_account(session, remote, None)
        seen = await read_all(session, remote, kinds)
        requests = remote.requests
    target = session if folder == session.folder else _project(session, folder)
    book = open_book(target)
    exported = export(seen, session.kinds, book.state().resources, kinds)
    texts = dump([one.resource for one in exported], session.kinds)
    for name, text in texts.items():
        _write(folder / name, text)
    with target.store.lock(lock_info(target, "export"), timeout=10.0):
        book = open_book(target)
        resources = {
            **book.state().resources,
            **bindings_of(exported, session.kinds, f"export-{target.around.stamp()}"),
        }
        book.base = book.state().model_copy(update={"resources": resources})
        book.records = []
        book.close(account=target.identity)
    return Outcome(tuple(sorted(texts)), len(exported), dict(seen.unknown), requests)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _write(path: Path, text: str) -> None:
    """Write a file of ours; refuse to write over somebody else's."""
    content = f"{HEADER}\n\n{text}" if not text.startswith(HEADER) else text
    if path.exists() and not path.read_text("utf-8").startswith(HEADER):
        raise ReconcilerError(
            f"{path} exists and was not written by export",
            hint="choose another folder with --out, or move the file away",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


def _project(session: Session, folder: Path) -> Session:
    """Make `folder` a project with this environment, unless it is one already."""
    path = folder / PROJECT_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        raw = session.project.project.environments[session.settings.name]
        url = raw.url
        if url.startswith(EMULATOR):
            url = EMULATOR + os.path.relpath(session.folder / url.removeprefix(EMULATOR), folder)
        lines = [f"{HEADER}", "version: 1", "environments:", f"  {session.settings.name}:", f"    url: {url}"]
        lines += [f"    token: {raw.token}"] if raw.token.startswith("${") else []
        lines += [f"    account: {raw.account}"] if raw.account else []
        path.write_text("\n".join([*lines, f"default_environment: {session.settings.name}", ""]), "utf-8")
    return open_session(folder, session.settings.name, session.around)


async def import_object(session: Session, address: str, identity: str) -> Binding:
    """Bind a declared address to the live object with this id. Raises PlanError."""
    loaded = session.load()
    kind_name, _ = split(address) if "." in address else (address, "")
    if address not in loaded.desired.resources or kind_name not in session.kinds:
        raise PlanError(f"{address} is not declared", hint="declare it first: the next plan then shows what differs")
    async with AsyncExitStack() as stack:
        remote = session.connect(stack, write=False)
        book = open_book(session)
        await check_account(session, remote, book.stored)
        seen = await read_all(session, remote, frozenset([kind_name]))
    if kind_name in seen.unknown:
        raise PlanError(f"{kind_name}: {seen.unknown[kind_name]}")
    live = next((one for one in seen.lives.get(kind_name, ()) if one.id == identity), None)
    if live is None or live.builtin:
        raise PlanError(f"the account has no {kind_name} with id {identity} that can be managed")
    with session.store.lock(lock_info(session, "import"), timeout=10.0):
        book = open_book(session)
        held = next(
            (other for other, one in book.state().resources.items() if (one.kind, one.id) == (kind_name, identity)),
            None,
        )
        if held is not None and held != address:
            raise PlanError(f"id {identity} is bound to {held} already", hint=f"reconciler state mv {held} {address}")
        keys = session.kinds[kind_name].natural_keys(live.attrs)
        binding = Binding(
            id=identity, kind=kind_name, natural_key=stored_key(keys[0]) if keys else [], created=live.created
        )
        book.begin()
        book.record(Record(op="bind", address=address, binding=binding))
        book.close(account=session.identity)
    return binding
