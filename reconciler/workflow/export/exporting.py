"""The verb `export`: the live account into the project's files and state. Writes nothing to the account.

In a project that declares something already, values are changed where they stand, and only what is new is added.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import field, replace
from functools import partial
from pathlib import Path

from reconciler.config import Loaded
from reconciler.config.writing.additions import Additions
from reconciler.config.writing.rewriting import ProposedEdit, Refusal, Rewriting
from reconciler.deriving.aside import beside
from reconciler.deriving.export import export_for_files
from reconciler.deriving.exported import Exported
from reconciler.deriving.redaction import Hiding, addresses_in, variables_for
from reconciler.deriving.untold import untold
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import ConfigError, PlanError, ReconcilerError
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import mutable, record
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan
from reconciler.planning.renames import SAME, suspected
from reconciler.planning.select import Selection, select
from reconciler.store.edits import write_files
from reconciler.workflow.export.bindings import bind_exported
from reconciler.workflow.export.edits import Edits, notes_on
from reconciler.workflow.export.gone import gone_of, left_of, unseen_of
from reconciler.workflow.export.target import HEADER, WHOLE, Extent, begin_folder, destination, project_in, variable
from reconciler.workflow.init import modeline
from reconciler.workflow.observation.arrangements import arrangements
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.observation.observing import connected
from reconciler.workflow.opening.session import Session


@record
class ExportSummary:
    """What an export wrote: files, how many resources, what it left alone with the reason, kinds that could not be
    read. `secrets` are the names of placeholders whose values are not written down; `absent` those kinds that the
    account does not have.
    """

    files: tuple[str, ...]
    resources: int
    unknown: dict[str, str]
    requests: int
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()
    begun: Path | None = None
    """The folder of the project that was made for it."""
    key: str = ""
    """The variable in which that project looks for the key, where another name than before."""


async def export_account(session: Session, out: Path | None, extent: Extent = WHOLE) -> ExportSummary:
    """Write the live account into the project in `out` (default: this one), and bind everything in its state.

    Raises ConfigError where what is there cannot be read, PlanError where it cannot be told apart from the account.
    """
    folder = destination(session, out)
    async with AsyncExitStack() as stack:
        if folder == session.folder:
            stack.enter_context(locked(session, "export", timeout=10.0))
        account = await stack.enter_async_context(connected(session, proves_state=False))
        seen = (await account.observe_all(extent.kinds)).snapshot
        begun = folder != session.folder and not (folder / PROJECT_FILE).exists()
        target = session if folder == session.folder else project_in(session, folder)
        stack.enter_context(locked(target, "export", timeout=10.0))
        exporting = _Exporting(target, seen, extent)
        if any(session.kinds[kind_of(address)].reading.filtered for address in exporting.begin()):
            exporting.eyes = await account.eyes()
        key = variable(session) if begun and target.runtime is not session.runtime else ""
        return replace(exporting.run(), requests=account.remote.requests, begun=folder if begun else None, key=key)


@mutable
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
        begin_folder(self.session)
        self.loaded = self.session.load()
        self.book = open_book(self.session)
        self.made = self._compared(self.loaded, self.book)
        return gone_of(self.extent, self.made, self.seen, self.book.state().resources)

    def run(self) -> ExportSummary:
        session, loaded, book, made = self.session, self.loaded, self.book, self.made
        edits = Edits(session, self.notes)
        exported = edits.nameable(self._exported(loaded, book, made), loaded.desired.resources)
        declared = loaded.desired.resources
        news = [entry for entry in exported if entry.resource.address not in declared and not entry.problem]
        self.notes += notes_on(exported, session.kinds, self.seen)
        for lines in untold(self.seen, session.kinds, exported, "; it is not exported").values():
            self.notes += lines
        hiding = Hiding(session.kinds, redactor=session.redactor)
        proposals = edits.propose(loaded, book, made, {entry.resource.address: entry for entry in exported}, hiding)
        hidden = [replace(entry, resource=hiding.resource(entry.resource)) for entry in news]
        variables = variables_for(
            addresses_in([*(entry.resource for entry in hidden), *_as_resources(proposals)]),
            loaded.places.variables,
        )
        rewriting = Rewriting(loaded.places, variables, replacing=True)
        rewriting.change(proposals)
        self._take_out_gone(rewriting)
        additions = Additions(
            session.project,
            session.settings.name,
            session.kinds,
            rewriting,
            variables,
            partial(modeline, session.folder),
        )
        additions.add([entry.resource for entry in hidden], HEADER)
        lives = {entry.resource.address: entry.live for entry in exported if not entry.problem}
        rewriting.arrange(arrangements(declared, lives, session.kinds))
        additions.pin(((entry.resource, entry.live.id) for entry in exported), loaded.desired.imports, HEADER)
        return self._written(loaded, rewriting, additions, exported, hiding)

    def _take_out_gone(self, rewriting: Rewriting) -> None:
        """Take out of the files what the account does not hold any more, where that is asked for and proven."""
        gone = gone_of(self.extent, self.made, self.seen, self.book.state().resources)
        unseen = unseen_of(gone, self.session.kinds, self.eyes)
        rewriting.refused += [Refusal(address, "", why) for address, why in unseen.items()]
        gone = [address for address in gone if address not in unseen]
        if self.extent.prune:
            rewriting.remove(gone)
        else:
            rewriting.refused += [Refusal(address, "", "the account does not hold it any more") for address in gone]

    def _compared(self, loaded: Loaded, book: StateTransaction) -> Plan:
        """Return what the declared resources lack to be like the account; nothing of it is carried out."""
        if not loaded.desired.resources:
            return Plan()
        covered = frozenset(
            address for address, resource in loaded.desired.resources.items() if resource.kind in self.seen.lives
        )
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

    def _exported(self, loaded: Loaded, book: StateTransaction, plan: Plan) -> list[Exported]:
        """Return the live objects under the keys that they have, or that are made of their names."""
        declared = loaded.desired.resources
        known = dict(book.state().resources)
        matched = {address: plan.ids[address] for address in declared if address in plan.ids}
        bound = {(declared[address].kind, identity) for address, identity in matched.items()}
        known = {address: binding for address, binding in known.items() if (binding.kind, binding.id) not in bound}
        known |= {address: Binding(id=identity, kind=declared[address].kind) for address, identity in matched.items()}
        kinds, redactor = self.session.kinds, self.session.redactor
        entries, left_out = export_for_files(
            self.seen, kinds, known, self.extent.kinds, redactor=redactor, declared=declared
        )
        self.notes += left_out
        if not self.extent.target:
            self.notes += beside(self.seen, kinds, known, self.extent.kinds, listed=True)
            return entries
        whole = Desired({entry.resource.address: entry.resource for entry in entries})
        nothing = book.state().model_copy(update={"resources": {}})
        chosen = select(whole, nothing, self.session.kinds, Selection(self.extent.target)).addresses
        return [entry for entry in entries if chosen is None or entry.resource.address in chosen]

    def _written(
        self, loaded: Loaded, rewriting: Rewriting, additions: Additions, exported: list[Exported], hiding: Hiding
    ) -> ExportSummary:
        """Read everything back, then write files and state."""
        session = self.session
        texts = {**rewriting.changed(), **additions.project_file()}
        try:
            after = session.with_variables(additions.values).load(texts=texts) if texts else loaded
        except ConfigError as error:
            raise self._unreadable(error, loaded, exported) from error
        before = {**loaded.texts, PROJECT_FILE: session.project.tree.source.text}
        files = write_files(session.folder, texts, before)
        kept = [entry for entry in exported if entry.resource.address in after.desired.resources]
        bind_exported(
            session,
            after,
            kept,
            hiding.secrets,
            rewriting,
            self.made,
            partial(left_of, self.extent, self.seen, session.kinds, self.eyes) if self.extent.prune else None,
        )
        secrets = tuple(sorted(name for name in hiding.secrets if any(name in text for text in texts.values())))
        notes = (*self.notes, *(f"{name} was replaced by the account's value" for name in rewriting.replaced))
        unknown, absent = dict(self.seen.unknown), self.seen.absent
        return ExportSummary(files, len(kept), unknown, 0, tuple(rewriting.refused), notes, secrets, absent)

    def _unreadable(self, error: ConfigError, loaded: Loaded, exported: list[Exported]) -> ReconcilerError:
        """Return what to say of files that would not be valid. Where a declared object is bound under an address that
        nothing declares, writing that one too would declare the object twice.
        """
        made = self.made
        bound = self.book.state().resources.keys() - loaded.desired.resources.keys()
        gone = [
            Change(entry.resource.address, entry.resource.kind, Action.DELETE, live=entry.live)
            for entry in exported
            if entry.resource.address in bound
        ]
        pairs = suspected([*gone, *made.changes], self.session.kinds, made.ids, self.seen.lives)
        for pair in pairs:
            if pair.likeness == SAME:
                return PlanError(
                    f"`{pair.target}` is declared, and its object is bound as `{pair.source}`, which nothing declares;"
                    " nothing was written",
                    hint=f"`reconciler state mv {pair.source} {pair.target}` binds it to what is declared",
                )
        first = next(diagnostic for diagnostic in error.diagnostics if diagnostic.severity == "error")
        return ReconcilerError(
            f"the files as they would be written cannot be read: {first.message} ({first.at}); nothing was written",
            hint=first.hint or "export a part with --kinds or --target",
        )


def _as_resources(proposals: list[ProposedEdit]) -> list[Resource]:
    return [proposed.resource._replace(attrs={proposed.attribute.name: proposed.value}) for proposed in proposals]
