"""The verb `export`: the live account into the project's files and state. Writes nothing to the account.

In a project that declares something already, values are changed where they stand, and only what is new is added.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import ProposedEdit, Refusal, Rewriting
from reconciler.deriving.copying import mentions
from reconciler.deriving.export import Exported, export_for_files, set_aside, unmade
from reconciler.deriving.redaction import Hiding, addresses_in, variables_for
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import ConfigError, PlanError, ReconcilerError
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.project import PROJECT_FILE, Encryption
from reconciler.model.redaction import LONG
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Once
from reconciler.model.state import Binding
from reconciler.model.values import Lookup, Ref, Value
from reconciler.planning.binding import binding_of
from reconciler.planning.context import Inputs
from reconciler.planning.diff import beside, joined, within
from reconciler.planning.identity import stored_key
from reconciler.planning.planner import plan
from reconciler.planning.renames import SAME, suspected
from reconciler.planning.rosters import only_declared, roster_of
from reconciler.planning.select import Selection, select
from reconciler.store.atomic import write_file
from reconciler.store.outputs import write_files
from reconciler.workflow.additions import Additions
from reconciler.workflow.book import StateTransaction, open_book
from reconciler.workflow.grounds import check_place, config_folders
from reconciler.workflow.holding import locked
from reconciler.workflow.observing import connected
from reconciler.workflow.opening import open_session
from reconciler.workflow.session import EMULATOR, Session

HEADER = "# Written by `reconciler export`.\n\n"


@dataclass(frozen=True)
class Extent:
    """What an export is about: these kinds, these addresses (None, empty: everything); with `prune`, declarations of
    objects that are gone go too.
    """

    kinds: frozenset[str] | None = None
    target: tuple[str, ...] = ()
    prune: bool = False


WHOLE = Extent()


@dataclass(frozen=True)
class ExportSummary:
    """What an export wrote: files, how many resources, what it left alone with the reason, kinds that could not be
    read. `secrets` are the names of placeholders whose values nobody wrote down; `absent` those kinds that the account
    does not have.
    """

    files: tuple[str, ...]
    resources: int
    unknown: dict[str, str]
    requests: int
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()


def _destination(session: Session, out: Path | None) -> Path:
    """Return the folder of the project to write into: this one too where `out` is where its resources are.

    Folders are the same by whatever links lead there. Raises ReconcilerError for any other folder of a project's own: a
    second project there would break the first.
    """
    if out is None or out.resolve() in (session.folder.resolve(), *config_folders(session.project)):
        return session.folder
    check_place(out, session.project)
    return out.resolve()


async def export_account(session: Session, out: Path | None, extent: Extent = WHOLE) -> ExportSummary:
    """Write the live account into the project in `out` (default: this one), and bind everything in its state.

    Raises ConfigError where what is there cannot be read, PlanError where it cannot be told apart from the account.
    """
    folder = _destination(session, out)
    async with AsyncExitStack() as stack:
        if folder == session.folder:
            stack.enter_context(locked(session, "export", timeout=10.0))
        account = await stack.enter_async_context(connected(session, proves_state=False))
        seen = (await account.observe_all(extent.kinds)).snapshot
        target = session if folder == session.folder else _project(session, folder)
        stack.enter_context(locked(target, "export", timeout=10.0))
        exporting = _Exporting(target, seen, extent)
        if any(session.kinds[kind_of(address)].reading.filtered for address in exporting.begin()):
            exporting.eyes = await account.eyes()
        return replace(exporting.run(), requests=account.remote.requests)


@dataclass
class _Exporting:
    """One export into one project: what the account holds against what is declared."""

    session: Session
    seen: Snapshot
    extent: Extent
    eyes: Eyes | None = None
    """Whose key it is, where something hangs on what is not shown."""
    notes: list[str] = field(default_factory=list)

    def begin(self) -> list[str]:
        """Look what is declared, and return the addresses of it that the account does not show."""
        _begin(self.session)
        self.loaded = self.session.load()
        self.book = open_book(self.session)
        self.made = self._compared(self.loaded, self.book)
        return self._gone(self.loaded.desired.resources, self.made)

    def run(self) -> ExportSummary:
        session, loaded, book, made = self.session, self.loaded, self.book, self.made
        exported = self._nameable(self._exported(loaded, book, made), loaded.desired.resources)
        declared = loaded.desired.resources
        news = [one for one in exported if one.resource.address not in declared and not one.problem]
        self.notes += [
            f"{one.resource.address}: {why}; it is left out" for one in exported for why in one.dropped.values()
        ]
        self.notes += [
            f"{one.resource.address}: {line}; it is kept by its id"
            for one in exported
            if not one.problem
            for line in one.gone
        ]
        self.notes += [
            f"{one.resource.address}: {why}" for one in exported if not one.problem for why in one.partly.values()
        ]
        self.notes += [
            f"{address}: an account that does not have it would refuse to create it: {'; '.join(why)}"
            for address, why in unmade((one for one in exported if not one.problem), session.kinds).items()
        ]
        self.notes += [
            f"{address}: `{name}` holds the id of {', '.join(meant)} in a text: it is another one in another account, "
            "where only a clone translates it"
            for address, texts in mentions(
                (one for one in exported if not one.problem), session.kinds, self.seen.lives
            ).items()
            for name, meant in texts.items()
        ]
        hiding = Hiding(session.kinds, redactor=session.redactor)
        wishes = self._wishes(loaded, book, made, {one.resource.address: one for one in exported}, hiding)
        hidden = [replace(one, resource=hiding.resource(one.resource)) for one in news]
        variables = variables_for(
            addresses_in([*(one.resource for one in hidden), *_as_resources(wishes)]),
            loaded.places.variables,
        )
        rewriting = Rewriting(loaded.places, variables, replacing=True)
        rewriting.change(wishes)
        gone = self._gone(declared, made)
        unseen = self._unseen(gone)
        rewriting.refused += [Refusal(address, "", why) for address, why in unseen.items()]
        gone = [address for address in gone if address not in unseen]
        if self.extent.prune:
            rewriting.remove(gone)
        else:
            rewriting.refused += [Refusal(one, "", "the account does not hold it any more") for one in gone]
        additions = Additions(session, rewriting, variables)
        additions.add([one.resource for one in hidden], HEADER)
        additions.pin(exported, loaded.desired.imports, HEADER)
        return self._written(loaded, rewriting, additions, exported, hiding)

    # --- what differs ----------------------------------------------------------------------------------------------

    def _compared(self, loaded: Loaded, book: StateTransaction) -> Plan:
        """Return what the declared resources lack to be like the account; nothing of it is carried out."""
        if not loaded.desired.resources:
            return Plan()
        covered = frozenset(address for address, one in loaded.desired.resources.items() if one.kind in self.seen.lives)
        state = book.state()
        inputs = Inputs(
            desired=loaded.desired,
            state=state,
            snapshot=self.seen,
            kinds=self.session.kinds,
            secret=self.session.secret,
            only=covered,
        )
        return plan(inputs)

    def _exported(self, loaded: Loaded, book: StateTransaction, made: Plan) -> list[Exported]:
        """Return the live objects under the keys that they have, or that are made of their names."""
        declared = loaded.desired.resources
        known = dict(book.state().resources)
        matched = {address: made.ids[address] for address in declared if address in made.ids}
        held = {(declared[address].kind, identity) for address, identity in matched.items()}
        known = {address: one for address, one in known.items() if (one.kind, one.id) not in held}
        known |= {address: Binding(id=one, kind=declared[address].kind) for address, one in matched.items()}
        kinds, redactor = self.session.kinds, self.session.redactor
        found, left_out = export_for_files(
            self.seen, kinds, known, self.extent.kinds, redactor=redactor, declared=declared
        )
        self.notes += left_out
        if not self.extent.target:
            others = set_aside(self.seen, kinds, known, self.extent.kinds)
            self.notes += [
                line for name, lines in others.items() if kinds[name].reading.mostly_unmanaged for line in lines
            ]
            return found
        whole = Desired({one.resource.address: one.resource for one in found})
        nothing = book.state().model_copy(update={"resources": {}})
        chosen = select(whole, nothing, self.session.kinds, Selection(self.extent.target)).addresses
        return [one for one in found if chosen is None or one.resource.address in chosen]

    def _nameable(self, found: list[Exported], declared: Mapping[str, Resource]) -> list[Exported]:
        """Leave out what could only be declared with a credential for its name, and what is inside."""
        secret: set[str] = set()
        for one in found:
            resource = one.resource
            names = [part for key in self.session.kinds[resource.kind].natural_keys(one.live.attrs) for part in key]
            held = any(self.session.redactor.knows(name, LONG) for name in names if isinstance(name, str))
            if resource.parent in secret or (held and resource.address not in declared):
                secret.add(resource.address)
                self.notes.append(
                    f"an object of kind {resource.kind} (id {one.live.id}) is left out: its name holds a credential"
                )
        ids = {one.resource.address: one.live.id for one in found if one.resource.address in secret}

        def leaf(value: Value) -> Value:
            return (
                Lookup(value.kind, "id", ids[value.address])
                if isinstance(value, Ref) and value.address in ids
                else value
            )

        return [
            replace(
                one,
                resource=replace(one.resource, attrs=values.transform_all(one.resource.attrs, leaf)),
            )
            if ids
            else one
            for one in found
            if one.resource.address not in secret
        ]

    def _wishes(
        self, loaded: Loaded, book: StateTransaction, made: Plan, live: Mapping[str, Exported], hiding: Hiding
    ) -> list[ProposedEdit]:
        """Return the attributes whose files say something else than the account does."""
        declared = loaded.desired.resources.keys()
        wishes = self._joining(loaded, made, live)
        for change in made.changes:
            resource, one = loaded.desired.resources.get(change.address), live.get(change.address)
            if resource is None or one is None:
                continue
            attributes = self.session.kinds[change.kind].attributes
            for item in change.attributes:
                if item.name not in resource.attrs:
                    self.notes.append(
                        f"{change.address}: its `{item.name}` follows from its place in the file; move it by hand"
                    )
                    continue
                if item.name not in one.live.attrs or item.name in one.dropped or one.problem:
                    continue
                attribute, said = attributes[item.name], resource.attrs[item.name]
                value = only_declared(attribute, self._value(one, item.name), said, live.keys() - declared)
                value = within(attribute, said, value)
                if not attributes[item.name].hides(value) and hiding.holds(value):
                    self.notes.append(
                        f"{change.address}: its `{item.name}` holds a credential; the files stay as they are"
                    )
                    continue
                if isinstance(value, str) and attributes[item.name].hides(value):
                    value = hiding.text(change.address, item.name, value)
                wishes.append(ProposedEdit(resource, attributes[item.name], value))
        state = book.state().resources
        for address, one in live.items():
            resource, binding = loaded.desired.resources.get(address), state.get(address)
            if resource is not None and binding is not None and binding.run.startswith("export-"):
                attributes = self.session.kinds[resource.kind].attributes
                wishes += [
                    ProposedEdit(resource, attributes[name], value)
                    for name, value in one.resource.attrs.items()
                    if name not in resource.attrs
                    and name not in binding.applied
                    and not attributes[name].hides(value)
                    and not hiding.holds(value)
                ]
                wishes += self._entries(resource, binding, one, {wish.name for wish in wishes})
        return wishes

    def _entries(
        self, resource: Resource, binding: Binding, one: Exported, known: set[tuple[str, str]]
    ) -> list[ProposedEdit]:
        """Return the maps of an object that an export declared, with the entries that the account has beyond them."""
        wishes, attributes = [], self.session.kinds[resource.kind].attributes
        for name, said in resource.attrs.items():
            attribute, held = attributes[name], one.resource.attrs.get(name)
            dropped = beside(attribute, said, values.decode(binding.applied.get(name)))
            parts = {path: part for path, part in beside(attribute, said, held).items() if path not in dropped}
            if parts and (resource.address, name) not in known and not attribute.hides(held):
                wishes.append(ProposedEdit(resource, attribute, joined(attribute, said, parts)))
        return wishes

    def _joining(self, loaded: Loaded, made: Plan, live: Mapping[str, Exported]) -> list[ProposedEdit]:
        """Return the rosters that new objects join, and that say nothing else than the account does."""
        wishes = []
        declared = loaded.desired.resources
        told = {(change.address, name) for change in made.changes for name in change.changed}
        for address, one in live.items():
            roster = roster_of(self.session.kinds[one.resource.kind])
            resource = declared.get(address)
            if resource is None or roster is None or roster[0] not in resource.attrs or (address, roster[0]) in told:
                continue
            attribute, held = self.session.kinds[resource.kind].attributes[roster[0]], resource.attrs[roster[0]]
            value = only_declared(attribute, self._value(one, roster[0]), held, live.keys() - declared.keys())
            if isinstance(value, list) and isinstance(held, list) and set(value) - set(held):
                wishes.append(ProposedEdit(resource, attribute, value))
        return wishes

    @staticmethod
    def _value(one: Exported, name: str) -> Value:
        """Return a live value as it is declared; what an export leaves out as empty is written out."""
        return one.resource.attrs.get(name, one.live.attrs[name])

    def _gone(self, declared: Mapping[str, Resource], made: Plan) -> list[str]:
        chosen = self.extent.target
        return [
            change.address
            for change in made.changes
            if change.action is Action.CREATE
            and (self.extent.kinds is None or change.kind in self.extent.kinds)
            and (not chosen or any(fnmatch(change.address, pattern) for pattern in chosen))
        ]

    def _unseen(self, gone: list[str]) -> dict[str, str]:
        """Return those that may only not be shown, with the reason: nothing is taken out on weaker evidence than what
        deletes it. Where nobody knows whose key it is, that is no evidence. What is part of another one, or needs it,
        stays with it.
        """
        why = self.eyes.why if self.eyes is not None else ""
        found = {}
        for address in gone if why else ():
            kind = self.session.kinds[kind_of(address)]
            if kind.reading.filtered and (not kind.nested or kind.parent_of(address) in gone):
                found[address] = f"the account does not show it, which proves nothing: {why}"
        return found

    def _left(self, bindings: Mapping[str, Binding], after: Loaded) -> set[str]:
        """Return what is bound, declared nowhere and gone: an export with `prune` that was killed between its files and
        its state leaves it.
        """
        chosen, lives = self.extent.target, self.seen.lives
        gone = [
            address
            for address, one in bindings.items()
            if address not in after.desired.resources
            and one.kind in lives
            and all(live.id != one.id for live in lives[one.kind])
            and (self.extent.kinds is None or one.kind in self.extent.kinds)
            and (not chosen or any(fnmatch(address, pattern) for pattern in chosen))
        ]
        return set(gone) - set(self._unseen(gone))

    # --- the end ---------------------------------------------------------------------------------------------------

    def _written(
        self, loaded: Loaded, rewriting: Rewriting, additions: Additions, exported: list[Exported], hiding: Hiding
    ) -> ExportSummary:
        """Read everything back, then write files and state."""
        session = self.session
        texts = {**rewriting.changed(), **additions.project()}
        try:
            after = session.with_variables(additions.values).load(texts=texts) if texts else loaded
        except ConfigError as error:
            raise self._unreadable(error, loaded, exported) from error
        before = {**loaded.texts, PROJECT_FILE: session.project.tree.source.text}
        files = write_files(session.folder, texts, before)
        kept = [one for one in exported if one.resource.address in after.desired.resources]
        self._bind(after, kept, hiding.secrets, rewriting)
        secrets = tuple(sorted(name for name in hiding.secrets if any(name in text for text in texts.values())))
        notes = (*self.notes, *(f"{one} gave way to the account's value" for one in rewriting.replaced))
        unknown, absent = dict(self.seen.unknown), self.seen.absent
        return ExportSummary(files, len(kept), unknown, 0, tuple(rewriting.refused), notes, secrets, absent)

    def _unreadable(self, error: ConfigError, loaded: Loaded, exported: list[Exported]) -> ReconcilerError:
        """Return what to say of files that would not be valid. Where a declared object is bound under an address that
        nothing declares, writing that one too would declare the object twice.
        """
        made = self.made
        bound = self.book.state().resources.keys() - loaded.desired.resources.keys()
        gone = [
            Change(one.resource.address, one.resource.kind, Action.DELETE, live=one.live)
            for one in exported
            if one.resource.address in bound
        ]
        pairs = suspected([*gone, *made.changes], self.session.kinds, made.ids, self.seen.lives)
        for pair in pairs:
            if pair.likeness == SAME:
                return PlanError(
                    f"`{pair.target}` is declared, and its object is bound as `{pair.source}`, which nothing declares;"
                    " nothing was written",
                    hint=f"`reconciler state mv {pair.source} {pair.target}` binds it to what is declared",
                )
        first = next(one for one in error.diagnostics if one.severity == "error")
        return ReconcilerError(
            f"the files as they would be written cannot be read: {first.message} ({first.at}); nothing was written",
            hint=first.hint or "export a part with --kinds or --target",
        )

    def _bind(self, after: Loaded, kept: list[Exported], secrets: Mapping[str, str], rewriting: Rewriting) -> None:
        session = self.session
        book = open_book(session)
        state = book.state()
        bindings = _under_their_addresses(state.resources, kept)
        stamp = f"export-{session.around.stamp()}"
        refused = {(one.address, one.name) for one in rewriting.refused}
        for one in kept:
            resource = after.desired.resources[one.resource.address]
            old = bindings.get(resource.address)
            new = self._binding(resource, one, old, secrets, stamp, state.salt)
            held = {name: value for name, value in new.applied.items() if (resource.address, name) not in refused}
            # Who declared it stays known: an export goes on declaring whole what it declared itself.
            bindings[resource.address] = new.model_copy(
                update={"applied": held, "run": old.run if old is not None else stamp}
            )
        if self.extent.prune:
            done = {address for address, name in rewriting.done if not name} | self._left(bindings, after)
            bindings = {
                address: one
                for address, one in bindings.items()
                if address in after.desired.resources or address not in done
            }
        book.base = state.model_copy(update={"resources": bindings, "intents": book.intents()})
        book.records = []
        book.close(account=session.identity)

    def _binding(
        self,
        resource: Resource,
        one: Exported,
        old: Binding | None,
        secrets: Mapping[str, str],
        stamp: str,
        salt: str,
    ) -> Binding:
        kind = self.session.kinds[resource.kind]
        keys = kind.natural_keys(one.live.attrs)
        attrs = {name: value for name, value in resource.attrs.items() if not kind.attributes[name].has(Once)}
        change = Change(
            resource.address,
            resource.kind,
            Action.ADOPT,
            desired=attrs,
            live=one.live,
            binding=old if old is not None and old.id == one.live.id else None,
            resource=resource,
            depends_on=tuple(sorted({ref.address for ref in values.references(attrs) if isinstance(ref, Ref)})),
            natural_key=tuple(stored_key(keys[0])) if keys else (),
        )

        def secret(name: str) -> str:
            return secrets[name] if name in secrets else self.session.secret(name)

        try:
            return binding_of(change, kind, one.live.id, stamp, complete=True, spares=[], secret=secret, salt=salt)
        except ConfigError:
            if old is not None:
                return old
            raise


def _under_their_addresses(bindings: Mapping[str, Binding], kept: list[Exported]) -> dict[str, Binding]:
    """Return the bindings with each object that is kept under the address that it has now: an export makes the moves
    that no apply has made yet, for one object has one address.
    """
    addresses = {(one.resource.kind, one.live.id): one.resource.address for one in kept}
    others = {address: one for address, one in bindings.items() if (one.kind, one.id) not in addresses}
    return others | {addresses[one.kind, one.id]: one for one in bindings.values() if (one.kind, one.id) in addresses}


def _as_resources(wishes: list[ProposedEdit]) -> list[Resource]:
    return [replace(wish.resource, attrs={wish.attribute.name: wish.value}) for wish in wishes]


def _begin(session: Session) -> None:
    """Make the folder for resource files in a project that has none yet."""
    places = [session.folder / name for name in session.project.project.config]
    if not any(place.exists() for place in places) and not places[0].suffix:
        places[0].mkdir(parents=True)


def _project(session: Session, folder: Path) -> Session:
    """Make `folder` a project with this environment, unless it is one already."""
    path = folder / PROJECT_FILE
    if not path.exists():
        (folder / "config").mkdir(parents=True, exist_ok=True)
        raw = session.project.project.environments[session.settings.name]
        url = raw.url
        if url.startswith(EMULATOR):
            url = EMULATOR + os.path.relpath(session.folder / url.removeprefix(EMULATOR), folder)
        lines = [HEADER.strip(), "version: 1", "", "environments:", f"  {session.settings.name}:", f"    url: {url}"]
        lines += [f"    token: {raw.token}"] if raw.token.startswith("${") else []
        lines += [f"    account: {raw.account}"] if raw.account else []
        lines += [*_encryption(raw.encryption, "    "), "", f"default_environment: {session.settings.name}", ""]
        whole = _encryption(session.project.project.encryption, "")
        write_file(path, "\n".join([*lines, *whole, *([""] if whole else [])]).encode())
    return open_session(folder, session.settings.name, session.around)


def _encryption(found: Encryption | None, indent: str) -> list[str]:
    """Return the lines that say for whom what is written is encrypted: what was read so stays so elsewhere."""
    if found is None:
        return []
    return [f"{indent}encryption:", f"{indent}  recipients: {json.dumps(found.recipients, ensure_ascii=False)}"]
