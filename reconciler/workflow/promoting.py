"""The verb `promote`: what changed in one account into the files of another environment. Writes to no account."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.config.writing.rewriting import Refusal, Rewriting
from reconciler.deriving.export import export_for_files
from reconciler.deriving.promoting import WHOLE, Choice, Row
from reconciler.deriving.redaction import addresses_in, variables_for
from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.project import PROJECT_FILE
from reconciler.store.outputs import write_files
from reconciler.workflow.additions import Additions
from reconciler.workflow.contents import hold, unknown_of
from reconciler.workflow.promotion_record import record_of
from reconciler.workflow.promotion_sides import ThreeSides
from reconciler.workflow.remembered import place_of
from reconciler.workflow.session import Session

HEADER = "# Written by `reconciler promote`.\n\n"


@dataclass(frozen=True)
class Promoted:
    """What differs, what was written into which files, and what was not, with the reasons."""

    rows: tuple[Row, ...]
    same: int
    files: tuple[str, ...]
    refused: tuple[Refusal, ...]
    left_out: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    unread: bool = False
    """Whether a kind of either account could not be read."""

    @property
    def colliding(self) -> bool:
        """Whether both sides changed something differently."""
        return any(row.status == "colliding" for row in self.rows)


async def promote(source: Session, target: Session, choice: Choice) -> Promoted:
    """Write what moved in the source's account into the files of the target's environment.

    Raises ConfigError, and what reading the two accounts raises.
    """
    mine, theirs = source.load(), target.load()
    one = await hold(source, source.settings.name, only=choice.kinds)
    other = await hold(target, target.settings.name, only=choice.kinds)
    bindings, redactor = one.state.resources, source.redactor
    declared = theirs.desired.resources
    found, left_out = export_for_files(
        one.seen, source.kinds, bindings, choice.kinds, redactor=redactor, declared=declared
    )
    sides = ThreeSides(source, target, choice, mine, theirs, replace(one, exported=found), other, left_out)
    return _Promoting(sides).run()


@dataclass
class _Promoting:
    """One promotion: what is written, and what is remembered."""

    sides: ThreeSides

    def run(self) -> Promoted:
        carried = self.sides.look()
        rewriting, additions = self._rewritten()
        files = self._written(rewriting, additions)
        secrets = tuple(sorted(self.sides.hiding.secrets)) if files else ()
        partly = [
            f"{entry.resource.address}: {why}"
            for entry in self.sides.one.exported
            for why in ((entry.problem,) if entry.problem else (*entry.dropped.values(), *entry.partly.values()))
        ]
        left_out = (
            *carried.left_out,
            *self.sides.left_out,
            *partly,
            *unknown_of(self.sides.one),
            *unknown_of(self.sides.other),
        )
        unread = self.sides.one.unread or self.sides.other.unread
        return Promoted(
            tuple(self.sides.rows), self.sides.same, files, tuple(rewriting.refused), left_out, secrets, unread
        )

    def _rewritten(self) -> tuple[Rewriting, Additions]:
        addresses = dict.fromkeys(self.sides.news)
        news = [self.sides.hiding.resource(self.sides.listing_declared(self.sides.wanted[one])) for one in addresses]
        wished = [
            self.sides.listing_declared(replace(proposed.resource, attrs={proposed.attribute.name: proposed.value}))
            for proposed in self.sides.proposals
        ]
        proposals = [
            replace(proposed, value=one.attrs[proposed.attribute.name])
            for proposed, one in zip(self.sides.proposals, wished, strict=True)
        ]
        variables = variables_for(addresses_in([*news, *wished]), self.sides.theirs.places.variables)
        overlays = self.sides.theirs.places.overlays
        rewriting = Rewriting(self.sides.theirs.places, variables, layer=overlays[-1] if overlays else None)
        additions = Additions(self.sides.target, rewriting, variables)
        rewriting.change(proposals)
        if self.sides.choice.prune:
            rewriting.remove(self.sides.gone)
        else:
            why = f"{self.sides.one.name} does not hold it any more; --prune takes its declaration out"
            rewriting.refused += [Refusal(address, WHOLE, why) for address in self.sides.gone]
        additions.add(news, HEADER)
        return rewriting, additions

    def _written(self, rewriting: Rewriting, additions: Additions) -> tuple[str, ...]:
        texts = {**rewriting.changed(), **additions.project()}
        after = self.sides.theirs
        if texts:
            try:
                after = self.sides.target.with_variables(additions.values).load(texts=texts)
                if not additions.values:
                    self.sides.source.load(texts=texts)
            except ConfigError as error:
                first = next(diagnostic for diagnostic in error.diagnostics if diagnostic.severity == "error")
                raise ReconcilerError(
                    f"the files as they would be written cannot be read: {first.message} ({first.at}); nothing was "
                    "written",
                    hint=first.hint or "promote a part with --kinds",
                ) from error
        if self.sides.choice.dry:
            return ()
        place = place_of(self.sides.one.name, self.sides.other.name)
        record = record_of(self.sides, rewriting, after)
        before = {**self.sides.theirs.texts, PROJECT_FILE: self.sides.target.project.tree.source.text}
        path = self.sides.target.folder / place
        before[place] = path.read_text("utf-8") if path.exists() else ""
        files = write_files(self.sides.target.folder, texts, before)
        write_files(self.sides.target.folder, {place: record}, before)
        return files
