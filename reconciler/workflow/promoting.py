"""The verb `promote`: what changed in one account into the files of another environment. Writes to no account."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import ProposedEdit, Refusal, Rewriting
from reconciler.deriving.copying import listing, only_there, portable, strangers, unseen
from reconciler.deriving.export import Exported, export_for_files
from reconciler.deriving.promoting import WHOLE, Base, Promotion, Side, Status, hashed, names_of, status
from reconciler.deriving.redaction import Hiding, addresses_in, variables_for
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.kind import Live
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.project import PROJECT_FILE
from reconciler.model.spec import Attribute, Ensure, Keyed
from reconciler.model.values import RemoteId, Value
from reconciler.planning.context import Inputs
from reconciler.planning.diff import beside, joined, same, within
from reconciler.planning.rosters import roster_of, with_own
from reconciler.store.outputs import write_files
from reconciler.workflow.additions import Additions
from reconciler.workflow.contents import AccountContents, hold, met, pairs, unknown_of
from reconciler.workflow.session import Session

FOLDER = "promotions"
HEADER = "# Written by `reconciler promote`.\n\n"
Name = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One attribute (or, with an empty name, one object) on both sides; sensitive values are hidden."""

    address: str
    name: str
    status: Status
    here: Value = None
    there: Value = None
    note: str = ""


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


@dataclass(frozen=True)
class Choice:
    """What to promote and how: these kinds; `overrule` takes the source's side of what collides; `prune` takes out
    declarations of what the source no longer holds; `dry` writes nothing.
    """

    kinds: frozenset[str] | None = None
    overrule: bool = False
    prune: bool = False
    dry: bool = False


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
    return _Promoting(source, target, choice, mine, theirs, replace(one, exported=found), other, left_out).run()


@dataclass
class _Promoting:
    """One promotion: both configurations, both accounts, and what is remembered."""

    source: Session
    target: Session
    choice: Choice
    mine: Loaded
    theirs: Loaded
    one: AccountContents
    other: AccountContents
    left_out: list[str]
    rows: list[Row] = field(default_factory=list)
    wishes: list[ProposedEdit] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    sides: dict[Name, Side] = field(default_factory=dict)
    held: dict[Name, Value] = field(default_factory=dict)
    """What the target's account holds of each attribute that was looked at."""
    same: int = 0

    def __post_init__(self) -> None:
        self.kinds = self.target.kinds
        self.listing = listing(self.other.seen, self.kinds)
        self.other_side = {(one.live.kind, one.live.id): one for one in self.other.exported}
        self.exported: dict[str, Exported] = {one.resource.address: one for one in self.one.exported}
        self.before = self._remembered()
        self.hiding = Hiding(self.kinds, redactor=self.target.redactor)

    def run(self) -> Promoted:
        carried = portable(self.one.exported, self.other.seen, self.kinds, self.other.state.resources)
        own = with_own(carried.desired, self.theirs.desired, self.kinds)
        inputs = Inputs(
            desired=own,
            state=self.other.state,
            snapshot=self.other.seen,
            kinds=self.kinds,
            secret=self.target.secret,
            eyes=self.other.eyes,
            compares=True,
        )
        inputs, made = met(inputs, self.one.exported)
        self.wanted, self.ids = inputs.desired.resources, made.ids
        self._look(made)
        rewriting, additions = self._rewritten()
        files = self._written(rewriting, additions)
        secrets = tuple(sorted(self.hiding.secrets)) if files else ()
        partly = [
            f"{one.resource.address}: {why}"
            for one in self.one.exported
            for why in ((one.problem,) if one.problem else (*one.dropped.values(), *one.partly.values()))
        ]
        left_out = (*carried.left_out, *self.left_out, *partly, *unknown_of(self.one), *unknown_of(self.other))
        unread = self.one.unread or self.other.unread
        return Promoted(tuple(self.rows), self.same, files, tuple(rewriting.refused), left_out, secrets, unread)

    # --- the three sides -------------------------------------------------------------------------------------------

    def _look(self, made: Plan) -> None:
        changes = {change.address: change for change in made.changes}
        unknown = {one.address: one.reason for one in made.skipped}
        lives = pairs(made, self.other.seen)
        here = names_of(self.one.seen, self.kinds, _addresses({a: e.live.id for a, e in self.exported.items()}))
        there = names_of(self.other.seen, self.kinds, _addresses(made.ids))
        for address, resource in self.wanted.items():
            if self.exported[address].problem:
                continue
            change = changes.get(address)
            live = lives.get(address)
            if live is None and address in unknown:
                self.left_out.append(f"{address}: of {self.other.name}: {unknown[address]}")
                continue
            if live is None:
                self._missing(address)
                continue
            blind = unseen(resource, live, self.kinds[resource.kind])
            self.left_out += [f"{address}: `{name}` is not shown by {self.other.name}" for name in blind]
            for name in resource.attrs:
                if name not in blind:
                    self._attribute(address, name, change, live, here, there)
            self._emptied(address, live)
        for address in sorted(
            {*self.before.resources, *self.one.state.resources} & self.theirs.desired.resources.keys()
        ):
            if address not in self.exported and self._covers(address):
                why = self.one.eyes.why if self.one.eyes is not None else ""
                if why and self.kinds[kind_of(address)].reading.filtered:
                    self.left_out.append(f"{address}: {self.one.name} does not show it, which proves nothing: {why}")
                    continue
                self.gone.append(address)
                note = f"{self.one.name} does not hold it any more"
                self.rows.append(Row(address, WHOLE, "here", None, None, note))
        self._strangers(made)

    def _strangers(self, made: Plan) -> None:
        """Name the objects that only the target holds: nothing is removed by a promotion."""
        known = self.other.state.resources
        found = {*strangers(made, self.other.seen, self.kinds, self.wanted, known)}
        found |= {change.address for change in made.changes if change.action is Action.DELETE}
        told = {row.address for row in self.rows} | {line.partition(":")[0] for line in self.left_out}
        by_reason: dict[tuple[str, str], list[str]] = defaultdict(list)
        for address in sorted(found - told):
            if self._covers(address):
                by_reason[kind_of(address), self._why_only_there(kind_of(address))].append(address)
        self.left_out += [f"{', '.join(addresses)}: {why}" for (_, why), addresses in by_reason.items()]

    def _why_only_there(self, kind: str) -> str:
        why = self.one.eyes.why if self.one.eyes is not None else ""
        if why and self.kinds[kind].reading.filtered:
            return f"{self.one.name} does not show it, which proves nothing: {why}"
        return f"only {self.other.name} holds it, and a promotion removes nothing"

    def _covers(self, address: str) -> bool:
        kind = kind_of(address)
        return kind in self.one.seen.lives and (self.choice.kinds is None or kind in self.choice.kinds)

    def _emptied(self, address: str, live: Live) -> None:
        """Name what only the target's object has: nothing is emptied by a promotion."""
        kind = self.kinds[live.kind]
        roster, short = roster_of(kind) or ("", "")
        self.left_out += [
            f"{address}: `{'.'.join(path)}` is {'empty in' if shown else 'not shown by'} {self.one.name}, "
            f"and {self.other.name} has a value: empty it by hand"
            for path, shown in only_there(self.exported[address], live, kind, self.listing).items()
            if path != (roster,)
        ]
        held = self.other_side.get((live.kind, live.id))
        self.left_out += [f"{address}: of {self.other.name}: {why}" for why in (held.partly.values() if held else ())]
        if roster in self.exported[address].live.attrs:
            self.left_out += [
                f"{address}: `{roster}` of {self.other.name} has {one} too: take it out by hand"
                for one in self._more(self.wanted[address].attrs.get(roster), live.attrs.get(roster), short)
            ]

    def _more(self, mine: Value, theirs: Value, short: str) -> list[str]:
        """Return who is in a roster of the target only, and says nothing of that itself."""
        names = _addresses(self.ids)
        held = {str(one) for one in values.references(mine)}
        found = [
            names.get((one.kind, one.id), str(one)) for one in values.references(theirs) if isinstance(one, RemoteId)
        ]
        return [
            one for one in found if one not in held and not (one in self.wanted and short in self.wanted[one].attrs)
        ]

    def _missing(self, address: str) -> None:
        """The target's account does not hold the object."""
        if address in self.theirs.desired.resources:
            self.rows.append(Row(address, WHOLE, "waiting", note="an apply creates it"))
        elif address in self.before.resources:
            note = f"{self.other.name} held it at the last promotion"
            self.rows.append(Row(address, WHOLE, "there", note=note))
        else:
            self.rows.append(Row(address, WHOLE, "here", note="new"))
            self.news.append(address)

    def _attribute(
        self,
        address: str,
        name: str,
        change: Change | None,
        live: Live,
        here: Callable[[Value], Value],
        there: Callable[[Value], Value],
    ) -> None:
        attribute = self.kinds[live.kind].attributes[name]
        item = next((one for one in change.attributes if one.name == name), None) if change is not None else None
        mine, theirs = self.exported[address].resource.attrs[name], live.attrs.get(name)
        if item is not None and self._only_lacks(attribute, item.after, theirs):
            item = None
        if name not in live.attrs and item is None:
            return
        salt = self.before.salt
        declared = self.theirs.desired.resources.get(address)
        stands = declared is not None and name in declared.attrs
        said = declared.attrs[name] if declared is not None and stands else None
        asked = self._asked(attribute, said, self.wanted[address].attrs[name], theirs)
        held = within(attribute, said, theirs)
        side = Side(hashed(mine, attribute, here, salt), hashed(held, attribute, there, salt), item is not None)
        self.sides[address, name], self.held[address, name] = side, theirs
        promised = hashed(asked, attribute, there, salt)
        says = hashed(self._opened(said), attribute, there, salt) if stands else ""
        found = status(
            side,
            self.before.resources.get(address, {}).get(name),
            apart=self._apart(address, name),
            written=says == promised,
            settled=says == side.there,
        )
        self.same += found == "same"
        takes = found == "here" or (found == "colliding" and self.choice.overrule)
        # Where the files say nothing, an apply fills what must not be empty (`Ensure`): what is meant to be so is said.
        differently = says != promised if stands else declared is not None and attribute.has(Ensure) and mine == []
        if takes or (found == "same" and differently):
            self._wish(address, name, declared, asked)
        if found != "same" and item is not None:
            here_value, there_value = values.encode(item.after), values.encode(item.before)
            if item.sensitive:
                here_value = there_value = None
            secret = "sensitive" if item.sensitive else ""
            self.rows.append(Row(address, name, found, here_value, there_value, secret))
        elif self.choice.prune and (gone := beside(attribute, asked, said)):
            note = f"{self.one.name} does not hold {', '.join('.'.join(path) for path in gone)} any more"
            self.rows.append(Row(address, name, "here", note=note))

    def _only_lacks(self, attribute: Attribute, mine: Value, theirs: Value) -> bool:
        """Tell whether two maps differ only by what the source does not have, and nothing is to be taken out."""
        return (
            attribute.has(Keyed)
            and not self.choice.prune
            and isinstance(mine, dict)
            and same(attribute.normal(mine), attribute.normal(theirs))
        )

    def _asked(self, attribute: Attribute, said: Value, mine: Value, theirs: Value) -> Value:
        """Return what the target's files are to say. Of a map that they declare: what stands there as the source has
        it, and what differs beside; entries that only they have stay unless pruned.
        """
        if not isinstance(said, dict) or not isinstance(mine, dict):
            return mine
        kept = {} if self.choice.prune else beside(attribute, mine, said)
        fresh = {
            path: value
            for path, value in beside(attribute, said, mine).items()
            if not same(value, _at(attribute, theirs, path))
        }
        return joined(attribute, joined(attribute, within(attribute, said, mine), kept), fresh)

    def _wish(self, address: str, name: str, declared: Resource | None, asked: Value) -> None:
        wanted = self.wanted[address]
        resource = self.hiding.resource(replace(wanted, attrs={**wanted.attrs, name: asked}))
        if declared is None:
            self.news.append(address)
            return
        attribute = self.kinds[resource.kind].attributes[name]
        self.wishes.append(ProposedEdit(declared, attribute, resource.attrs[name]))

    def _opened(self, value: Value) -> Value:
        """Return a declared value with its secrets, as far as they are set."""

        def leaf(one: Value) -> Value:
            try:
                return values.reveal(one, self.target.secret) if isinstance(one, str) else one
            except ConfigError:
                return one

        return values.transform(value, leaf)

    def _apart(self, address: str, name: str) -> bool:
        """Tell whether the target's files set a value apart: in an overlay, or by a variable."""
        entry = self.theirs.places.entry(address, name)
        if entry is None:
            return False
        return entry.key.source in self.theirs.places.overlays or self.theirs.places.filled(entry)

    # --- writing ---------------------------------------------------------------------------------------------------

    def _rewritten(self) -> tuple[Rewriting, Additions]:
        news = [self.hiding.resource(self.wanted[address]) for address in dict.fromkeys(self.news)]
        wished = [replace(wish.resource, attrs={wish.attribute.name: wish.value}) for wish in self.wishes]
        variables = variables_for(addresses_in([*news, *wished]), self.theirs.places.variables)
        overlays = self.theirs.places.overlays
        rewriting = Rewriting(self.theirs.places, variables, layer=overlays[-1] if overlays else None)
        additions = Additions(self.target, rewriting, variables)
        rewriting.change(self.wishes)
        if self.choice.prune:
            rewriting.remove(self.gone)
        else:
            why = f"{self.one.name} does not hold it any more; --prune takes its declaration out"
            rewriting.refused += [Refusal(address, WHOLE, why) for address in self.gone]
        additions.add(news, HEADER)
        return rewriting, additions

    def _written(self, rewriting: Rewriting, additions: Additions) -> tuple[str, ...]:
        texts = {**rewriting.changed(), **additions.project()}
        after = self.theirs
        if texts:
            try:
                after = self.target.with_variables(additions.values).load(texts=texts)
                if not additions.values:
                    self.source.load(texts=texts)
            except ConfigError as error:
                first = next(one for one in error.diagnostics if one.severity == "error")
                raise ReconcilerError(
                    f"the files as they would be written cannot be read: {first.message} ({first.at}); nothing was "
                    "written",
                    hint=first.hint or "promote a part with --kinds",
                ) from error
        if self.choice.dry:
            return ()
        record = self._record(rewriting, after)
        before = {**self.theirs.texts, PROJECT_FILE: self.target.project.tree.source.text}
        path = self.target.folder / self._place()
        before[self._place()] = path.read_text("utf-8") if path.exists() else ""
        files = write_files(self.target.folder, texts, before)
        write_files(self.target.folder, {self._place(): record}, before)
        return files

    def _place(self) -> str:
        return f"{FOLDER}/{self.one.name}-{self.other.name}.json"

    def _remembered(self) -> Promotion:
        path: Path = self.target.folder / self._place()
        if not path.exists():
            return Promotion(salt=self.target.around.token())
        try:
            return Promotion.model_validate_json(path.read_text("utf-8"))
        except (ValidationError, ValueError) as error:
            raise ReconcilerError(
                f"{path} is not what `promote` wrote",
                hint="take it from your version control, or delete it to begin anew",
            ) from error

    def _record(self, rewriting: Rewriting, after: Loaded) -> str:
        """Return what to remember: both sides as they are, and what the target is to become."""
        refused = {(one.address, one.name) for one in rewriting.refused}
        open_ones = {(row.address, row.name) for row in self.rows if row.status in ("there", "colliding")}
        if self.choice.overrule:
            open_ones = {(row.address, row.name) for row in self.rows if row.status == "there"}
        apart = {(row.address, row.name) for row in self.rows if row.status == "kept"}
        found: dict[str, dict[str, Base]] = {}
        there = names_of(self.other.seen, self.kinds, {})
        for (address, name), side in self.sides.items():
            old = self.before.resources.get(address, {}).get(name)
            if (address, name) in open_ones | refused:
                if old is not None:
                    found.setdefault(address, {})[name] = old
                continue
            base = Base(here=side.here, there=[side.there], apart=(address, name) in apart)
            declared = after.desired.resources.get(address)
            if declared is not None and name in declared.attrs:
                attribute = self.kinds[declared.kind].attributes[name]
                promised = hashed(self._opened(declared.attrs[name]), attribute, there, self.before.salt)
                # Of a map, what an apply has not changed yet is compared as far as the files speak of it.
                so_far = within(attribute, declared.attrs[name], self.held[address, name])
                before = hashed(so_far, attribute, there, self.before.salt)
                base.there = list(dict.fromkeys([side.there, before, promised]))
            found.setdefault(address, {})[name] = base
        for address in self.news:
            if address in after.desired.resources:
                found.setdefault(address, {}).update(self._promised(address, after, there))
        kept = {address: one for address, one in self.before.resources.items() if self._keeps(address, after)}
        whole = Promotion(salt=self.before.salt, resources=dict(sorted({**kept, **found}.items())))
        return json.dumps(whole.model_dump(), indent=1, sort_keys=True) + "\n"

    def _promised(self, address: str, after: Loaded, there: Callable[[Value], Value]) -> dict[str, Base]:
        """Return the record of an object that the target does not hold yet."""
        here = names_of(self.one.seen, self.kinds, _addresses({a: e.live.id for a, e in self.exported.items()}))
        found = {}
        for name, value in self.exported[address].resource.attrs.items():
            attribute, salt = self.kinds[kind_of(address)].attributes[name], self.before.salt
            declared = after.desired.resources[address].attrs.get(name, self.wanted[address].attrs.get(name))
            promised = hashed(self._opened(declared), attribute, there, salt)
            found[name] = Base(here=hashed(value, attribute, here, salt), there=[promised])
        return found

    def _keeps(self, address: str, after: Loaded) -> bool:
        """Tell whether an object that was not looked at stays known: it was out of scope, or nothing was pruned."""
        return not self._covers(address) or address in after.desired.resources


def _at(attribute: Attribute, value: Value, path: Sequence[str]) -> Value:
    """Return what stands at a path of a map, None for nothing."""
    first, *rest = path
    value = {attribute.entry(key): one for key, one in value.items()} if isinstance(value, Mapping) else {}
    for step in (attribute.entry(first), *rest):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _addresses(ids: Mapping[str, str]) -> dict[tuple[str, str], str]:
    return {(kind_of(address), identity): address for address, identity in ids.items() if "[" not in address}
