"""The verb `promote`: what changed in one account into the files of another environment. Writes to no account."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

from reconciler.config import Loaded
from reconciler.config.writing.additions import Additions
from reconciler.config.writing.halving import fitting
from reconciler.config.writing.rewriting import ProposedEdit, Refusal, Rewriting
from reconciler.deriving.aside import beside
from reconciler.deriving.export import export_for_files, names_elsewhere
from reconciler.deriving.promoting import WHOLE, PromotionChoice, PromotionRow
from reconciler.deriving.redaction import addresses_in, variables_for
from reconciler.model.address import kind_of
from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import mutable, record
from reconciler.model.values import Value
from reconciler.store.edits import write_files
from reconciler.workflow.comparing import differing
from reconciler.workflow.init import modeline
from reconciler.workflow.observation.contents import expect, hold, unknown_of
from reconciler.workflow.opening.session import Session
from reconciler.workflow.promotion.comparing import look
from reconciler.workflow.promotion.orders import arrangements
from reconciler.workflow.promotion.record import record_of
from reconciler.workflow.promotion.remembered import place_of
from reconciler.workflow.promotion.rest import listing_declared, memberships_left, only_in_target
from reconciler.workflow.promotion.sides import Name, ThreeSides

PromotedPart = tuple[str, Name]
"""One thing to write: a value ("edit"), a declaration ("new"), one that goes ("gone"), or an order ("order")."""
HEADER = "# Written by `reconciler promote`.\n\n"


@record
class Promoted:
    """What differs, what was written into which files, and what was not, with the reasons."""

    rows: tuple[PromotionRow, ...]
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


async def promote(source: Session, target: Session, choice: PromotionChoice) -> Promoted:
    """Write what moved in the source's account into the files of the target's environment.

    Raises ConfigError, and what reading the two accounts raises.
    """
    mine, theirs = source.load(), target.load()
    expect(choice.kinds, source, target)
    other = await hold(target, target.settings.name, only=choice.kinds)
    declared = theirs.desired.resources
    reserved = names_elsewhere(other.seen, target.kinds, other.state.resources, declared)
    contents = await hold(source, source.settings.name, only=choice.kinds, reserved=reserved)
    bindings, redactor = contents.state.resources, source.redactor
    entries, left_out = export_for_files(
        contents.seen,
        source.kinds,
        bindings,
        choice.kinds,
        redactor=redactor,
        declared=declared,
        reserved=reserved,
        silent=True,
    )
    left_out += beside(contents.seen, source.kinds, bindings, choice.kinds, listed=True)
    shown, _ = differing(contents, other, target)
    sides = ThreeSides(source, target, choice, mine, theirs, replace(contents, exported=entries), other, left_out)
    return _Promoting(sides).run(shown, {entry.resource.address: entry.live.id for entry in contents.exported})


@mutable
class _Promoting:
    """One promotion: what is written, and what is remembered."""

    sides: ThreeSides

    def run(self, shown: Plan, ids: Mapping[str, str]) -> Promoted:
        """Promote; `shown` is what `compare` shows before, by addresses that stand for these ids of the source."""
        carried = look(self.sides)
        self.sides.left_out += only_in_target(self.sides)
        rewriting, additions, after = self._settled()
        self.sides.left_out += memberships_left(self.sides, after, rewriting.refused)
        files = self._written(rewriting, additions, after)
        secrets = tuple(sorted(self.sides.hiding.secrets)) if files else ()
        partly = [
            f"{entry.resource.address}: {why}"
            for entry in self.sides.one.exported
            for why in ((entry.problem,) if entry.problem else (*entry.dropped.values(), *self.sides.partly(entry)))
        ]
        left_out = [
            *carried.left_out,
            *self.sides.left_out,
            *partly,
            *unknown_of(self.sides.one, self.sides.source.kinds),
            *unknown_of(self.sides.other, self.sides.source.kinds),
        ]
        left_out += self._unsaid(shown, ids, left_out, rewriting.refused)
        unread = self.sides.one.unread or self.sides.other.unread
        return Promoted(
            tuple(self.sides.rows), self.sides.same, files, tuple(rewriting.refused), tuple(left_out), secrets, unread
        )

    def _unsaid(
        self, shown: Plan, ids: Mapping[str, str], lines: Sequence[str], refused: Sequence[Refusal]
    ) -> list[str]:
        """Return one line for each difference that `compare` shows and that nothing else speaks of."""
        named = {(row.address, row.name) for row in self.sides.rows} | {(row.address, row.name) for row in refused}
        mine = {(kind_of(address), entry.live.id): address for address, entry in self.sides.exported.items()}
        unsaid = []
        for change in shown.changes:
            address = mine.get((change.kind, ids.get(change.address, "")), change.address)
            if (address, WHOLE) in named or not self.sides.covers(address):
                continue
            about = [line for line in lines if re.search(rf"(?<![\w.]){re.escape(address)}(?![\w-])", line)]
            if change.action in (Action.UPDATE, Action.REPLACE):
                names = self._untold(change, address, about)
                unsaid += [f"{address}: `{n}` differs, and that stays so" for n in names if (address, n) not in named]
            elif not about:
                unsaid.append(f"{address}: one account holds it, the other does not, and that stays so")
        return unsaid

    def _untold(self, change: Change, address: str, lines: Sequence[str]) -> list[str]:
        """Return the attributes that differ, are not memberships, and of which none of these lines speaks."""
        names = [item.name for item in change.attributes if (change.kind, item.name) not in self.sides.shared]
        return [name for name in names if not any(_speaks(line, address, name) for line in lines)]

    def _settled(self) -> tuple[Rewriting, Additions, Loaded]:
        """Return the files as they are to be, and what they say. What they could not say is left out by name."""
        parts = [("edit", proposal.name) for proposal in self.sides.proposals]
        parts += [("new", (address, WHOLE)) for address in dict.fromkeys(self.sides.news)]
        parts += [("gone", (address, WHOLE)) for address in self.sides.gone] if self.sides.choice.prune else []
        parts += [("order", name) for name in self.sides.orders if self.sides.takes_order(name)]
        whole, _ = self._tried(parts, {})
        if whole is not None:
            return whole
        kept, faults = fitting(parts, lambda some: self._tried(some, {})[1])
        again, why = self._tried(kept, {name: why for (_, name), why in faults.items()})
        if again is None:
            raise ReconcilerError(why, hint="promote a part with --kinds")
        return again

    def _tried(
        self, parts: Sequence[PromotedPart], failed: Mapping[Name, str]
    ) -> tuple[tuple[Rewriting, Additions, Loaded] | None, str]:
        """Write these parts in memory and read the files back; None with the reason where they could not be read."""
        rewriting, additions = self._rewritten(set(parts))
        texts = {**rewriting.changed(), **additions.project_file()}
        after = self.sides.theirs
        try:
            if texts:
                after = self.sides.target.with_variables(additions.values).load(texts=texts)
                if not additions.values:
                    self.sides.source.load(texts=texts)
        except ConfigError as error:
            first = next(diagnostic for diagnostic in error.diagnostics if diagnostic.severity == "error")
            return None, f"the files as they would be written cannot be read: {first.message} ({first.at})"
        rewriting.refused += [Refusal(address, name, why) for (address, name), why in failed.items()]
        return (rewriting, additions, after), ""

    def _rewritten(self, parts: Set[PromotedPart]) -> tuple[Rewriting, Additions]:
        fresh = [address for address in dict.fromkeys(self.sides.news) if ("new", (address, WHOLE)) in parts]
        listed = [listing_declared(self.sides, self.sides.wanted[address], fresh) for address in fresh]
        news = [self.sides.hiding.resource(resource) for resource in listed]
        proposals = [
            replace(proposal, value=self._listing(proposal, fresh))
            for proposal in self.sides.proposals
            if ("edit", proposal.name) in parts
        ]
        wished = [proposal.resource._replace(attrs={proposal.attribute.name: proposal.value}) for proposal in proposals]
        variables = variables_for(addresses_in([*news, *wished]), self.sides.theirs.places.variables)
        overlays = self.sides.theirs.places.overlays
        rewriting = Rewriting(self.sides.theirs.places, variables, layer=overlays[-1] if overlays else None)
        target = self.sides.target
        additions = Additions(
            target.project, target.settings.name, target.kinds, rewriting, variables, partial(modeline, target.folder)
        )
        rewriting.change(proposals)
        if self.sides.choice.prune:
            rewriting.remove([address for address in self.sides.gone if ("gone", (address, WHOLE)) in parts])
        else:
            why = f"{self.sides.one.name} does not hold it any more; --prune takes its declaration out"
            rewriting.refused += [Refusal(address, WHOLE, why) for address in self.sides.gone]
        additions.add(news, HEADER)
        rewriting.arrange(arrangements(self.sides, fresh, [name for what, name in parts if what == "order"]))
        return rewriting, additions

    def _listing(self, proposal: ProposedEdit, fresh: Collection[str]) -> Value:
        name = proposal.attribute.name
        return listing_declared(self.sides, proposal.resource._replace(attrs={name: proposal.value}), fresh).attrs[name]

    def _written(self, rewriting: Rewriting, additions: Additions, after: Loaded) -> tuple[str, ...]:
        texts = {**rewriting.changed(), **additions.project_file()}
        if self.sides.choice.dry:
            return ()
        place = place_of(self.sides.one.name, self.sides.other.name)
        record = record_of(self.sides, rewriting, after)
        before = {**self.sides.theirs.texts, PROJECT_FILE: self.sides.target.project.tree.source.text}
        path = self.sides.target.folder / place
        before[place] = path.read_text("utf-8") if path.exists() else ""
        files = write_files(self.sides.target.folder, {**texts, place: record}, before)
        return tuple(name for name in files if name != place)


def _speaks(line: str, address: str, name: str) -> bool:
    """Return whether a line about an object is about this attribute, or about all of it."""
    return line.startswith(f"{address}.{name}:") or "`" not in line or re.search(rf"`{name}[`.]", line) is not None
