"""The verb `import`: a declared address and a live object are one from now on. Writes nothing to the account."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.address import split
from reconciler.model.desired import Resource
from reconciler.model.errors import Cancelled, PlanError, Unread
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.state import Binding, Record
from reconciler.planning.identity import stored_key
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.observation.observing import Connected, connected
from reconciler.workflow.opening.session import Session


async def import_object(session: Session, address: str, identity: str, agreed: Callable[[Binding], bool]) -> Binding:
    """Bind a declared address to the live object with this id. Where it is bound to another one, which would be managed
    no more, `agreed` is asked. Raises PlanError, and Cancelled where the answer is no.
    """
    loaded = session.load()
    kind_name, _ = split(address) if "." in address else (address, "")
    if address not in loaded.desired.resources or kind_name not in session.kinds:
        raise PlanError(f"{address} is not declared", hint="declare it first: the next plan then shows what differs")
    with locked(session, "import", timeout=10.0):
        return await _bind(session, loaded.desired.resources[address], identity, agreed)


async def _bind(session: Session, resource: Resource, identity: str, agreed: Callable[[Binding], bool]) -> Binding:
    address, kind_name = resource.address, resource.kind
    async with connected(session) as account:
        book, live = account.book, await _live(account, kind_name, identity)
    bindings = book.state().resources
    holders = (other for other, binding in bindings.items() if (binding.kind, binding.id) == (kind_name, identity))
    holder = next(holders, address)
    if holder != address:
        raise PlanError(f"id {identity} is bound to {holder} already", hint=f"reconciler state mv {holder} {address}")
    _check_own(session.kinds[kind_name], resource, live)
    bound = bindings.get(address)
    if bound is not None and bound.id != identity and not agreed(bound):
        raise Cancelled("cancelled; nothing was changed")
    keys = session.kinds[kind_name].natural_keys(live.attrs)
    seen = {"natural_key": stored_key(keys[0]) if keys else [], "created": live.created}
    # What was applied to this very object stays known: an import of it once more makes no other of it.
    same = bound if bound is not None and bound.id == identity else Binding(id=identity, kind=kind_name)
    binding = same.model_copy(update=seen)
    book.begin()
    book.record(Record(op="bind", address=address, binding=binding))
    book.close(account=session.identity)
    return binding


def _check_own(kind: Kind, resource: Resource, live: Live) -> None:
    """Raise PlanError where one side came with the account and the other is not it: neither can become the other."""
    own = [attrs for attrs in (resource.attrs, live.attrs) if kind.given(attrs)]
    if own and not {*kind.natural_keys(resource.attrs)} & {*kind.natural_keys(live.attrs)}:
        name = own[0].get(kind.identity.name_attribute)
        raise PlanError(
            f"`{name}` came with the account, and {resource.address} and id {live.id} are not both it",
            hint="what came with the account is found by its name: it needs no import",
        )


async def _live(account: Connected, kind_name: str, identity: str) -> Live:
    """Return the object with this id. Raises PlanError where there is none to manage, Unread where that is unknown."""
    seen = (await account.observe_all(frozenset([kind_name]))).snapshot
    live = next((live for live in seen.lives.get(kind_name, ()) if live.id == identity), None)
    doubted = live is None and account.session.kinds[kind_name].reading.filtered
    why = (await account.eyes()).why if doubted else ""
    if kind_name in seen.unknown:
        raise Unread(f"{kind_name}: {seen.unknown[kind_name]}")
    if why:
        raise PlanError(f"the account shows no {kind_name} with id {identity}, which proves nothing: {why}")
    if live is None or live.builtin:
        raise PlanError(f"the account has no {kind_name} with id {identity} that can be managed")
    return live
