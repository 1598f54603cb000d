"""The verb `explain`: everything that is known about one address. Reads only, and only what this address needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.engine.examine import examine
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.document import FindingView, ImpactView
from reconciler.model.errors import PlanError, UnknownKind
from reconciler.model.explanation import AttributeStory, Explanation
from reconciler.model.http import Remote
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.nearest import nearest
from reconciler.model.plan import Action, Change, Plan, lifecycle_of
from reconciler.model.records import record
from reconciler.model.state import Binding
from reconciler.model.values import Value, carries_secret, decode, is_empty, transform
from reconciler.model.write import Finding, Impact
from reconciler.planning.document import encoded
from reconciler.planning.planner import plan
from reconciler.planning.reads import of_kinds, wanted
from reconciler.planning.select import needs
from reconciler.planning.unread import untold
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.observing import Connected, connected, looked_at
from reconciler.workflow.opening.session import Session

RUNS = 5
"""How many of the last runs are told."""


@record
class _Sides:
    """What each side says of the address, with remote ids by address to show references as people write them."""

    kind: Kind
    resource: Resource | None
    binding: Binding | None
    live: Live | None
    change: Change | None
    ids: dict[str, str]
    skipped: str
    untold: Sequence[str] = ()
    """One line for each attribute that could not be read."""

    @property
    def declared(self) -> Mapping[str, Value]:
        """The attributes as the files declare them."""
        return self.resource.attrs if self.resource is not None else {}

    @property
    def applied(self) -> Mapping[str, Value]:
        """The attributes as they were applied last, encoded."""
        return self.binding.applied if self.binding is not None else {}

    @property
    def lives(self) -> Mapping[str, Value]:
        """The attributes as the account has them."""
        return self.live.attrs if self.live is not None else {}

    @property
    def action(self) -> str:
        """What a plan would do with the address."""
        if self.skipped:
            return "unknown"
        return self.change.action.value if self.change is not None else "none"


async def explain(session: Session, address: str, *, impact: bool = True) -> Explanation:
    """Return the story of an address. Raises PlanError for an unknown one, and what planning raises."""
    desired = session.load().desired
    book = open_book(session)
    state = book.state()
    resource, binding = desired.resources.get(address), state.resources.get(address)
    if resource is None and binding is None:
        near = nearest(address, [*desired.resources, *state.resources])
        hint = (
            f"did you mean {near}?" if near is not None else "`reconciler state list` and your files show the addresses"
        )
        raise PlanError(f"{address} is neither declared nor managed", hint=hint)
    if kind_of(address) not in session.kinds:
        raise UnknownKind(kind_of(address), address)
    async with connected(session, book=book) as account:
        sides = await _looked_at(account, address, desired)
        impacts = await _at_risk(session, account.remote, address, sides) if impact else ()
        requests = account.remote.requests
    related = needs(desired, state)
    story = _story(sides, address).model_copy(
        update={
            "impacts": [ImpactView.of(impact) for impact in impacts],
            "depends_on": sorted(related.get(address, ())),
            "used_by": sorted(other for other, wants in related.items() if address in wants),
            "runs": _runs(session, address, sides.binding),
            "requests": requests,
        }
    )
    show = session.redactor.show
    shown = transform(story.model_dump(), lambda value: show(value) if isinstance(value, str) else value)
    return Explanation.model_validate(shown)


def _runs(session: Session, address: str, binding: Binding | None) -> list[str]:
    """Return the last runs that had something to do with the address, the newest first."""
    runs: list[str] = []
    for name in reversed(session.store.run_names()):
        run = session.store.run(name)
        step = next((step for step in run.steps if step.address == address), None) if run is not None else None
        if run is not None and step is not None:
            runs.append(f"{name} ({step.action}, {step.result})")
        if len(runs) == RUNS:
            break
    return runs or ([binding.run] if binding and binding.run else [])


async def _looked_at(account: Connected, address: str, desired: Desired) -> _Sides:
    """Read what planning this one address needs, and plan it."""
    session, state = account.session, account.book.state()
    kind = session.kinds[kind_of(address)]
    resource, binding = desired.resources.get(address), state.resources.get(address)
    mine = Desired({address: resource} if resource is not None else {})
    observed = await account.observe(wanted(mine, of_kinds(state, [kind.name]), session.kinds))
    seen = observed.snapshot
    inputs = observed.inputs(desired=desired, only=frozenset([address]))
    looked, _ = await looked_at(session, account.remote, inputs, plan)
    change = next((change for change in looked.changes if change.address == address), None)
    identity = change.live.id if change and change.live else binding.id if binding else ""
    live = next((live for live in seen.lives.get(kind.name, ()) if live.id == identity), None)
    ids = {**looked.ids, **({address: identity} if identity else {})}
    skipped = next((skip.reason for skip in looked.skipped if skip.address == address), "")
    unread = untold(inputs, {address: live} if live is not None else {})
    return _Sides(kind, resource, binding, live, change, ids, skipped, unread)


async def _at_risk(session: Session, remote: Remote, address: str, sides: _Sides) -> tuple[Impact, ...]:
    """Measure what deleting the object would lose."""
    if sides.live is None:
        return ()
    to_destroy = Change(
        address, sides.kind.name, Action.DELETE, live=sides.live, binding=sides.binding, resource=sides.resource
    )
    whole = await examine(Plan((to_destroy,), ids=sides.ids), remote, session.kinds, secret=session.secret)
    return whole.changes[0].impacts


def _story(sides: _Sides, address: str) -> Explanation:
    change, resource, binding, live = sides.change, sides.resource, sides.binding, sides.live
    lifecycle = lifecycle_of(resource, binding)
    return Explanation(
        address=address,
        kind=sides.kind.name,
        action=sides.action,
        reason=sides.skipped or (change.reason if change else ""),
        id=live.id if live else None,
        natural_key=list(binding.natural_key) if binding else [],
        created=live.created if live else "",
        place=str(resource.at) if resource and resource.at else None,
        managed=binding is not None,
        incomplete=bool(binding and binding.incomplete),
        protected=lifecycle.prevent_destroy,
        on_destroy=dict(lifecycle.on_destroy),
        attributes=[story for name in sides.kind.attributes if (story := _attribute(sides, name)) is not None],
        destroys=sides.kind.texts.delete_warning,
        findings=[
            FindingView.of(finding)
            for finding in (
                *(change.findings if change else ()),
                *(Finding(line, severity="warning") for line in sides.untold),
            )
        ],
    )


def _attribute(sides: _Sides, name: str) -> AttributeStory | None:
    declared, live = sides.declared.get(name), sides.lives.get(name)
    applied = decode(sides.applied[name]) if name in sides.applied else None
    if name not in sides.declared and applied is None and is_empty(live):
        return None
    items = sides.change.attributes if sides.change is not None else ()
    changed = next((item for item in items if item.name == name), None)
    place = sides.resource.places.get(name) if sides.resource is not None else None
    secret = carries_secret(declared) or carries_secret(applied)
    sensitive = secret or sides.kind.attributes[name].hides(declared, applied, live)

    def shown(value: Any) -> Any:
        return encoded(value, sides.ids, sensitive=sensitive)

    return AttributeStory(
        name=name,
        declared=shown(declared),
        place=str(place) if place is not None else None,
        applied=shown(applied),
        run=sides.binding.run if sides.binding and applied is not None else None,
        live=shown(live),
        origin=changed.origin if changed else "none",
        sensitive=sensitive,
    )
