"""What an export writes into the state: which object each declared resource is, and what files and account agree in.
What was applied before stays known of the rest: of what could not be read, and of what the files still say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import Rewriting
from reconciler.deriving.exported import Exported
from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.errors import ConfigError
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.recorded import Recorded
from reconciler.model.spec import Once
from reconciler.model.state import Binding
from reconciler.model.values import Ref, Value
from reconciler.planning.bindings import binding_of
from reconciler.planning.identity import stored_key
from reconciler.workflow.observation.arrangements import inside
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.session import Session


def bind_exported(
    session: Session,
    after: Loaded,
    kept: list[Exported],
    secrets: Mapping[str, str],
    rewriting: Rewriting,
    made: Plan,
    left: Callable[[Mapping[str, Binding], Loaded], set[str]] | None,
) -> None:
    """Write into the state which object each declared resource is. `made` is what the files and the account differed in
    before. `left` is there where declarations of what is gone go too: it returns what is bound and declared nowhere.
    """
    book = open_book(session)
    state = book.state()
    bindings = _under_their_addresses(state.resources, kept)
    stamp = f"export-{session.runtime.stamp()}"
    refused = {(refusal.address, refusal.name) for refusal in rewriting.refused}
    differing = refused | _differing(after, kept, made) - {*rewriting.done}
    for entry in kept:
        resource = after.desired.resources[entry.resource.address]
        old = bindings.get(resource.address)
        parent = resource.parent or ""
        # Where the order of a parent could not be written, the last applied one stays known.
        moved = not parent or (parent, inside(resource.address, session.kinds)) not in refused
        agreed = {
            name: value
            for name, value in resource.attrs.items()
            if name in entry.live.attrs and (resource.address, name) not in differing
        }
        new = _binding(session, resource, agreed, entry, old, secrets, stamp, state.salt, moved=moved)
        # Who declared it stays known: an export goes on declaring whole what it declared itself.
        bindings[resource.address] = new.model_copy(update={"run": old.run if old is not None else stamp})
    if left is not None:
        done = {address for address, name in rewriting.done if not name} | left(bindings, after)
        bindings = {
            address: binding
            for address, binding in bindings.items()
            if address in after.desired.resources or address not in done
        }
    book.base = state.model_copy(update={"resources": bindings, "intents": book.intents()})
    book.records = Recorded()
    book.close(account=session.identity)


def _differing(after: Loaded, kept: list[Exported], made: Plan) -> set[tuple[str, str]]:
    """Return the attributes in which the files and the account differed; of what was not planned, all that an export
    would declare otherwise.
    """
    unplanned = {skip.address for skip in made.skipped}
    declared = after.desired.resources
    return {
        *((change.address, name) for change in made.changes for name in change.changed),
        *(
            (address, name)
            for entry in kept
            if (address := entry.resource.address) in unplanned
            for name, value in declared[address].attrs.items()
            if value != entry.resource.attrs.get(name, entry.live.attrs.get(name))
        ),
    }


def _binding(
    session: Session,
    resource: Resource,
    agreed: Mapping[str, Value],
    entry: Exported,
    old: Binding | None,
    secrets: Mapping[str, str],
    stamp: str,
    salt: str,
    *,
    moved: bool,
) -> Binding:
    """Return the binding with what files and account agree in (`agreed`). Unless the files were brought into the
    account's order (`moved`), that of the last apply stays known.
    """
    kind = session.kinds[resource.kind]
    keys, declared = kind.natural_keys(entry.live.attrs), dict(resource.attrs)
    attrs = {name: value for name, value in agreed.items() if not kind.attributes[name].has(Once)}
    if kind.nested:
        # An export declares no place among siblings as an attribute: it is taken from the account, unless the
        # order of the files was left as it was.
        applied = old.applied if not moved and old is not None and old.id == entry.live.id else {}
        for name in kind.arrange([(resource.address, {}, entry.live)]).get(resource.address, {}):
            attrs[name] = applied.get(name, entry.live.attrs.get(name))
    change = Change(
        resource.address,
        resource.kind,
        Action.ADOPT,
        desired=attrs,
        live=entry.live,
        binding=old if old is not None and old.id == entry.live.id else None,
        resource=resource,
        depends_on=tuple(sorted(ref.address for ref in {*values.references(declared)} if isinstance(ref, Ref))),
        natural_key=tuple(stored_key(keys[0])) if keys else (),
    )

    def secret(name: str) -> str:
        return secrets[name] if name in secrets else session.secret(name)

    try:
        return binding_of(change, kind, entry.live.id, stamp, complete=True, spares=[], secret=secret, salt=salt)
    except ConfigError:  # a secret is not at hand here; what was bound with it still holds
        if old is not None:
            return old
        raise


def _under_their_addresses(bindings: Mapping[str, Binding], kept: list[Exported]) -> dict[str, Binding]:
    """Return the bindings with each object that is kept under the address that it has now: an export makes the moves
    that no apply has made yet, for one object has one address.
    """
    addresses = {(entry.resource.kind, entry.live.id): entry.resource.address for entry in kept}
    others = {address: binding for address, binding in bindings.items() if (binding.kind, binding.id) not in addresses}
    return others | {
        addresses[binding.kind, binding.id]: binding
        for binding in bindings.values()
        if (binding.kind, binding.id) in addresses
    }
