"""Between plan and plan document: masking happens here, once, and a saved document becomes a plan's input again.

A sensitive text that is to be written is not in the document: a salted hash stands for it (`{"$sensitive": hash}`), by
which an apply proves that the configuration still says the same (decision 0055).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from reconciler.model import document as doc
from reconciler.model import values
from reconciler.model.account_url import screen_of
from reconciler.model.address import by_identity, split
from reconciler.model.desired import Desired, Import, Moved, Removed, Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Change, Plan, Step, lifecycle_of
from reconciler.model.records import record
from reconciler.model.redaction import LONG, Redactor
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import fingerprint
from reconciler.model.spec import Lifecycle
from reconciler.model.values import SENSITIVE, Lookup, Ref, RemoteId, Value
from reconciler.model.write import Effect
from reconciler.planning.bindings import salted
from reconciler.planning.diff import parts
from reconciler.planning.renames import Rename
from reconciler.planning.terse import terse

MASK = "(sensitive)"
Recover = Callable[[str, str, str], Value]
"""Answers the declared value of (address, attribute) whose salted hash is given."""

P = TypeVar("P", bound=BaseModel)


@record
class Heading:
    """What a plan document says about where and when it was made."""

    tool_version: str
    created_at: str
    environment: str
    account: str
    lineage: str
    serial: int
    options: Mapping[str, Any]
    salt: str = ""
    declared: int = 0
    managed: Mapping[str, int] = field(default_factory=dict)
    eyes: Eyes | None = None
    redactor: Redactor = field(default_factory=Redactor)
    """Takes out credentials that an account or its server put where nothing is secret."""


def to_document(
    plan: Plan, heading: Heading, forecast: doc.Forecast, kinds: Kinds, renames: Iterable[Rename] = ()
) -> doc.PlanDocument:
    """Return the document of a plan, masked; without its digest, which is taken when nothing is added any more."""
    names = by_identity(plan.ids) if plan.changes else {}
    document = doc.PlanDocument(
        tool_version=heading.tool_version,
        created_at=heading.created_at,
        environment=heading.environment,
        account=heading.account,
        eyes=doc.EyesView(user_group=heading.eyes.group, sees=heading.eyes.sees) if heading.eyes else None,
        state=doc.StateRef(lineage=heading.lineage, serial=heading.serial),
        options=dict(heading.options),
        summary=summarise(plan, kinds),
        changes=[_change(change, names, kinds[change.kind], heading, plan.ids) for change in plan.changes],
        steps=[_step(step) for step in plan.steps],
        skipped=[
            doc.SkippedView(address=skip.address, reason=skip.reason, forbidden=skip.forbidden, refused=skip.refused)
            for skip in plan.skipped
        ],
        warnings=list(plan.warnings),
        renames=[
            doc.RenameView(source=rename.source, target=rename.target, likeness=rename.likeness) for rename in renames
        ],
        declared=heading.declared,
        managed=dict(heading.managed),
        forecast=forecast,
        reads=list(plan.reads),
        ids=dict(plan.ids),
        salt=heading.salt,
    )
    return _cleared(document, heading.redactor)


def _step(step: Step) -> doc.StepView:
    return doc.StepView(
        number=step.number,
        address=step.address,
        op=step.op,
        waits=list(step.waits),
        after=list(step.after),
        requests=list(step.requests),
    )


def _cleared(document: doc.PlanDocument, redactor: Redactor) -> doc.PlanDocument:
    """Return the document without credentials: values are masked whole, sentences without them. What is to be written,
    addresses, ids and digests stay as they are: the configuration that they come from holds no credential.
    """
    if not any(redactor.knows(text, LONG) for text in _texts(document)):
        return document

    clears = _Clears(redactor)
    return document.model_copy(
        update={
            "changes": [clears.change(change) for change in document.changes],
            "skipped": [clears.sentences(skip, "reason") for skip in document.skipped],
            "warnings": [redactor.show(warning) for warning in document.warnings],
        }
    )


def _texts(document: doc.PlanDocument) -> Iterator[str]:
    """Yield all that a document says that may hold a credential, some changes at a time."""
    yield document.model_dump_json(exclude={"changes", "steps", "salt", "ids"})
    for start in range(0, len(document.changes), 500):
        yield "\n".join(change.model_dump_json(exclude=_EXACT) for change in document.changes[start : start + 500])


class _Clears(NamedTuple):
    """Takes credentials out of the parts of a document."""

    redactor: Redactor

    def change(self, view: doc.ChangeView) -> doc.ChangeView:
        known = any(isinstance(leaf, str) and self.redactor.knows(leaf, LONG) for leaf in values.walk(view.natural_key))
        return view.model_copy(
            update={
                "reason": self.redactor.show(view.reason),
                "attributes": [self._attribute(item) for item in view.attributes],
                "found": self._value(view.found),
                "natural_key": [] if known else view.natural_key,
                "impacts": [self._impact(item) for item in view.impacts],
                "uses": [self.sentences(item, "where", "note") for item in view.uses],
                "findings": [self.sentences(item, "message", "hint") for item in view.findings],
                "manual": {name: self.redactor.show(how) for name, how in view.manual.items()},
            }
        )

    def sentences(self, part: P, *names: str) -> P:
        return part.model_copy(update={name: self.redactor.show(getattr(part, name)) for name in names})

    def _impact(self, impact: doc.ImpactView) -> doc.ImpactView:
        return self.sentences(impact, "noun", "detail").model_copy(update={"objects": self._value(impact.objects)})

    def _attribute(self, view: doc.AttributeView) -> doc.AttributeView:
        inner = [self._values(part, "path", "before", "after") for part in view.parts]
        return self._values(view, "before", "after", "applied").model_copy(update={"parts": inner})

    def _values(self, part: P, *names: str) -> P:
        return part.model_copy(update={name: self._value(getattr(part, name)) for name in names})

    def _value(self, value: Value) -> Value:
        return values.transform(value, self._leaf)

    def _leaf(self, value: Value) -> Value:
        if not isinstance(value, str) or not self.redactor.knows(value, LONG):
            return value
        masked = mask(value)
        return MASK if self.redactor.knows(masked, LONG) else masked


_EXACT = {"desired", "fingerprint"}


def summarise(plan: Plan, kinds: Kinds) -> doc.Summary:
    """Return the counts of the last line."""
    impacts = [impact for change in plan.changes for impact in change.impacts if impact.effect == "lost"]
    replaced = plan.count(Action.REPLACE)
    off = sum(
        change.action is Action.DELETE and bool(kinds[change.kind].texts.removal_effect) for change in plan.changes
    )
    return doc.Summary(
        add=plan.count(Action.CREATE) + replaced,
        change=plan.count(Action.UPDATE),
        destroy=plan.count(Action.DELETE) - off + replaced,
        switch_off=off,
        adopt=sum(change.adopts for change in plan.changes),
        forget=plan.count(Action.FORGET),
        move=sum(change.moved_from is not None for change in plan.changes),
        manual=sum(bool(change.manual) for change in plan.changes),
        unchanged=plan.kept,
        records_at_risk=sum(impact.count or 0 for impact in impacts),
        records_moved=_total(plan, "moved"),
        unmanaged=_total(plan, "unmanaged"),
        at_most=any(impact.at_most for impact in impacts),
        unmeasured=sum(impact.count is None for impact in impacts),
    )


def _total(plan: Plan, effect: Effect) -> int:
    return sum(impact.count or 0 for change in plan.changes for impact in change.impacts if impact.effect == effect)


def _change(
    change: Change, names: Mapping[tuple[str, str], str], kind: Kind, heading: Heading, ids: Mapping[str, str]
) -> doc.ChangeView:
    resource = change.resource
    lifecycle = lifecycle_of(resource, change.binding)
    return doc.ChangeView(
        address=change.address,
        kind=change.kind,
        action=change.action.value,
        reason=change.reason,
        id=change.id,
        place=str(resource.at) if resource and resource.at else None,
        attributes=[_attribute(item, names, change, ids, kind) for item in change.attributes],
        switches_off=change.action is Action.DELETE and bool(kind.texts.removal_effect),
        adopts=change.adopts,
        depends_on=list(change.depends_on),
        impacts=[doc.ImpactView.of(impact) for impact in change.impacts],
        uncounted=change.uncounted,
        guarded=kind.abilities.delete_needs_approval,
        counting=list(change.counting),
        evacuates=dict(change.evacuates),
        uses=[doc.UseView(where=use.where, certainty=use.certainty, note=use.note) for use in change.uses],
        findings=[doc.FindingView.of(finding) for finding in change.findings],
        manual={name: _todo(how, change.page, heading.account) for name, how in change.manual.items()},
        moved_from=change.moved_from,
        desired=_to_write(change, kind, heading.salt),
        ignored=list(lifecycle.ignore_changes),
        fingerprint=fingerprint(change.live) if change.live else None,
        found=_found(change, names, kind),
        known=list(change.known),
        natural_key=list(change.natural_key),
        spare=change.spare,
        nested=list(resource.nested) if resource else [],
        elsewhere=list(resource.elsewhere) if resource else [],
        parent=resource.parent if resource else None,
        rank=resource.rank if resource else 0,
        prevent_destroy=lifecycle.prevent_destroy,
        on_destroy=dict(lifecycle.on_destroy),
    )


def _to_write(change: Change, kind: Kind, salt: str) -> dict[str, Any]:
    """Return the attributes to write, encoded; a hash instead of each sensitive text."""
    body = {}
    for name, value in change.desired.items():
        hashed = isinstance(value, str) and value != "" and not values.has_secret(value) and _hidden(kind, name, value)
        body[name] = {SENSITIVE: salted(str(value), salt)} if hashed else values.encode(value)
    return body


def _found(change: Change, names: Mapping[tuple[str, str], str], kind: Kind) -> dict[str, Any]:
    """Return the live attributes for people; whatever may show a secret is masked."""
    if change.live is None:
        return {}
    masked = {item.name for item in change.attributes if item.sensitive}
    masked |= {name for name, value in change.desired.items() if values.carries_secret(value)}
    if change.binding is not None:
        masked |= {
            name for name, value in change.binding.applied.items() if values.carries_secret(values.decode(value))
        }
    return _live(change.live, names, kind, masked)


def _live(live: Live, names: Mapping[tuple[str, str], str], kind: Kind, masked: Collection[str]) -> dict[str, Any]:
    return {
        name: _shown(value, names, name in masked or _hidden(kind, name, value)) for name, value in live.attrs.items()
    }


def view_of_live(live: Live, kind: Kind, planned: doc.ChangeView, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return a live object as it would stand in `found` of this earlier change, with the same values masked."""
    return _live(live, by_identity(ids), kind, {name for name, value in planned.found.items() if MASK in str(value)})


def _hidden(kind: Kind, name: str, value: Value) -> bool:
    attribute = kind.attributes.get(name)
    return attribute is not None and attribute.hides(value)


def _todo(how: str, page: str, account: str) -> str:
    """Return a manual step in full: what to do, where, and what closes it."""
    screen = screen_of(account, page) if page else ""
    where = f" at {screen}" if screen else ""
    return f"{how}{where}; plans ask for this until it is done"


def _attribute(
    item: AttributeChange, names: Mapping[tuple[str, str], str], change: Change, ids: Mapping[str, str], kind: Kind
) -> doc.AttributeView:
    declared = change.desired.get(item.name, item.after)
    live = terse(item.before, declared, kind.attributes[item.name]) if item.name in kind.attributes else item.before
    before = _shown(_looked_up(live, declared, ids), names, item.sensitive)
    after = _shown(declared, names, item.sensitive)
    return doc.AttributeView(
        name=item.name,
        before=before,
        after=after,
        parts=parts(before, after),
        applied=_shown(item.applied, names, item.sensitive),
        origin=item.origin,
        place=str(item.place) if item.place else None,
        run=item.run or None,
        forces_replacement=item.forces_replacement,
        sensitive=item.sensitive,
        places=item.places,
    )


def encoded(value: Value, ids: Mapping[str, str], *, sensitive: bool) -> Any:
    """Return the JSON of a value for people, with ids of managed objects as addresses and sensitive texts masked."""
    return _shown(value, by_identity(ids), sensitive)


def _looked_up(value: Value, declared: Value, ids: Mapping[str, str]) -> Value:
    """Return what the account holds with references written as they are declared, where both mean the same object: an
    entry that stays would be shown as one that goes and another one that comes.
    """
    written: dict[Value, Value] = {
        RemoteId(reference.kind, ids[str(reference)]): reference
        for reference in values.references(declared)
        if isinstance(reference, Lookup) and str(reference) in ids
    }
    return values.transform(value, lambda leaf: written.get(leaf, leaf) if isinstance(leaf, RemoteId) else leaf)


def _shown(value: Value, names: Mapping[tuple[str, str], str], sensitive: bool) -> Any:
    """Return the JSON of a value for people: ids of managed objects as addresses, sensitive texts masked."""

    def leaf(value: Value) -> Value:
        if isinstance(value, RemoteId) and (value.kind, value.id) in names:
            return Ref(*split(names[value.kind, value.id]))
        if sensitive and isinstance(value, str) and value and not values.has_secret(value):
            return mask(value)
        return value

    return values.encode(values.transform(value, leaf))


def mask(text: str) -> str:
    """Return what may be shown of a sensitive text: of a URL its host, for tokens stand in paths as well as queries."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return MASK
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}/{MASK}"


def from_document(document: doc.PlanDocument, recover: Recover) -> Desired:
    """Return what a saved plan asks for: its changed addresses as declared resources, its adoptions as imports."""
    resources: dict[str, Resource] = {}
    imports, moved, removed = [], [], []
    for change in document.changes:
        if change.moved_from:
            moved.append(Moved(change.moved_from, change.address))
        if change.action == "forget":
            removed.append(Removed(change.address, destroy=False))
        if change.action in ("delete", "forget"):
            continue
        resources[change.address] = _resource(change, recover)
        if change.adopts and change.id:
            imports.append(Import(change.address, change.id))
    return Desired(resources, tuple(moved), tuple(removed), tuple(imports))


def _resource(change: doc.ChangeView, recover: Recover) -> Resource:
    kind, key = split(change.address)
    return Resource(
        change.address,
        kind,
        key,
        {name: _recovered(change.address, name, value, recover) for name, value in change.desired.items()},
        Lifecycle(
            prevent_destroy=change.prevent_destroy, on_destroy=change.on_destroy, ignore_changes=list(change.ignored)
        ),
        parent=change.parent,
        rank=change.rank,
        nested=tuple(change.nested),
        elsewhere=tuple(change.elsewhere),
    )


def hashes(document: doc.PlanDocument) -> bool:
    """Return whether a saved plan needs the configuration for a sensitive text."""
    return any(
        isinstance(value, dict) and SENSITIVE in value
        for change in document.changes
        for value in change.desired.values()
    )


def _recovered(address: str, name: str, value: Any, recover: Recover) -> Value:
    if values.is_hashed(value):
        return recover(address, name, value[SENSITIVE])
    return values.decode(value)
