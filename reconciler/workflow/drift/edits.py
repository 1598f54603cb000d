"""What `drift --absorb` would write into the files: values, what is not managed, and orders; or why it must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.config.writing.rewriting import Arrangement, ProposedEdit, Refusal
from reconciler.deriving.exported import Exported
from reconciler.deriving.redaction import holds_secret
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Plan
from reconciler.model.redaction import Redactor
from reconciler.model.spec import Attribute
from reconciler.model.state import Binding
from reconciler.model.values import Value
from reconciler.planning.context import Inputs
from reconciler.planning.declarable import declarable, losses
from reconciler.planning.diff import joined, within
from reconciler.planning.drift import unmanaged, unmanaged_parts
from reconciler.planning.rosters import only_declared
from reconciler.workflow.observation.arrangements import arrangements, arranges, by_parent, in_account, in_files, inside

SECRET = "it may hold a secret: write it into the file yourself, with `${secret.NAME}`"


def proposals_of(
    inputs: Inputs, drifted: Plan, now: Plan, live: Mapping[str, Exported]
) -> tuple[list[ProposedEdit], list[Refusal], list[tuple[str, str]]]:
    """Return what to write, what must not be, and what the files say already."""
    proposals: list[ProposedEdit] = []
    refused: list[Refusal] = []
    held: list[tuple[str, str]] = []
    differing = {(change.address, item.name): item for change in now.changes for item in change.attributes}
    refused += [Refusal(skip.address, "", skip.reason) for skip in drifted.skipped if skip.forbidden]
    for change in drifted.changes:
        resource, entry = inputs.desired.resources.get(change.address), live.get(change.address)
        if change.action is not Action.UPDATE or entry is None:
            why = "it is gone from the account: take its declaration out, or apply to create it again"
            refused.append(Refusal(change.address, "", why))
            continue
        kind = inputs.kinds[change.kind]
        for item in change.attributes:
            here = differing.get((change.address, item.name))
            if resource is not None and arranges(kind, item.name):
                continue  # an order is written for all siblings at once: `moves_of`
            if resource is None or item.name not in resource.attrs:
                refused.append(Refusal(change.address, item.name, "the files do not declare it any more"))
            elif here is None:  # a plan of now finds no difference: somewhere the files say it already
                held.append((change.address, item.name))
            elif why := _objection(kind, entry.live, item, here):
                refused.append(Refusal(change.address, item.name, why))
            else:
                proposals.append(_as_live(resource, kind.attributes[item.name], entry))
    return proposals, refused, held


def without_secrets(proposals: list[ProposedEdit], redactor: Redactor) -> tuple[list[ProposedEdit], list[Refusal]]:
    """Return the edits that write no secret into a file, and why the others do: a user may have put one into any text
    of the account.
    """
    kept, refused = list[ProposedEdit](), list[Refusal]()
    for proposal in proposals:
        if holds_secret(proposal.value, redactor):
            refused.append(Refusal(*proposal.name, SECRET))
        else:
            kept.append(proposal)
    return kept, refused


def _objection(kind: Kind, live: Live, drifted: AttributeChange, now: AttributeChange) -> str:
    """Return why the value of the account must not be written into the files, "" where it may."""
    if drifted.sensitive:
        return SECRET
    if why := _unsayable(kind, live).get(drifted.name, ""):
        return f"{why}: say ignore_changes for it"
    if now.origin == "both":
        return "the file was changed too since the last apply: decide in the file which one it is to be"
    return ""


def _as_live(resource: Resource, attribute: Attribute, entry: Exported) -> ProposedEdit:
    """Return the edit that makes a declaration say what the account holds, as far as it says anything of it."""
    declared = resource.attrs[attribute.name]
    value = entry.resource.attrs.get(attribute.name, entry.live.attrs[attribute.name])
    return ProposedEdit(resource, attribute, within(attribute, declared, only_declared(attribute, value, declared)))


def unmanaged_edits(inputs: Inputs, live: Mapping[str, Exported]) -> tuple[list[ProposedEdit], list[Refusal]]:
    """Return what the account holds of declared objects and is not managed, as far as files may say it."""
    proposals: list[ProposedEdit] = []
    refused: list[Refusal] = []
    for resource, entry in _managed(inputs, live):
        address, kind = resource.address, inputs.kinds[resource.kind]
        unsayable = _unsayable(kind, entry.live)
        news = {name: entry.resource.attrs.get(name) for name in unmanaged(inputs, kind, address, entry.live)}
        for name, parts in unmanaged_parts(inputs, kind, address, entry.live).items():
            left = {path: unsayable[f"{name}.{path[0]}"] for path in parts if f"{name}.{path[0]}" in unsayable}
            refused += [Refusal(address, ".".join((name, *path)), why) for path, why in left.items()]
            kept = {path: value for path, value in parts.items() if path not in left}
            if kept:
                news[name] = joined(kind.attributes[name], resource.attrs[name], kept)
        for name, value in news.items():
            if why := unsayable.get(name, "") or _kept_out(kind, entry, name, value):
                refused.append(Refusal(address, name, why))
            else:
                proposals.append(ProposedEdit(resource, kind.attributes[name], value))
    return proposals, refused


def _managed(inputs: Inputs, live: Mapping[str, Exported]) -> Iterator[tuple[Resource, Exported]]:
    """Yield what is declared and managed of what the plan is about, each with the object that it is."""
    for address, binding in inputs.state.resources.items():
        resource, entry = inputs.desired.resources.get(address), live.get(address)
        if resource is not None and entry is not None and entry.live.id == binding.id and inputs.covers(address):
            yield resource, entry


def _kept_out(kind: Kind, entry: Exported, name: str, value: Value) -> str:
    """Return why an attribute that nothing declares is not written into the files, "" where it may be."""
    if name not in entry.resource.attrs:
        return "no declaration says it"
    return SECRET if kind.attributes[name].hides(value, entry.live.attrs[name]) else ""


def _unsayable(kind: Kind, live: Live) -> dict[str, str]:
    """Return what of an object no declaration says as it is, with the reason: attributes, and entries of maps
    ("fields.size").
    """
    lost = {
        name: f"it cannot be declared in full ({loss.what})"
        for name, loss in losses(kind, live).items()
        if not loss.kept
    }
    return {**declarable(kind, live).dropped, **lost}


def moves_of(
    inputs: Inputs, drifted: Plan, live: Mapping[str, Exported]
) -> tuple[list[Arrangement], list[Refusal], list[tuple[str, str]]]:
    """Return the maps of which the account changed the order, as it is there: to be written, not to be, and written
    already.
    """
    declared, bindings, kinds = inputs.desired.resources, inputs.state.resources, inputs.kinds
    known = {address for address in bindings if address in live and live[address].live.id == bindings[address].id}
    lives = {address: live[address].live for address in known}
    moved = {
        change.address
        for change in drifted.changes
        if change.address in declared and any(arranges(kinds[change.kind], item.name) for item in change.attributes)
    }
    parents = by_parent(moved, kinds)
    siblings = by_parent(known & declared.keys(), kinds)
    moves: list[Arrangement] = []
    refused: list[Refusal] = []
    held: list[tuple[str, str]] = []
    for parent in parents:
        mine = siblings[parent]
        files, account = in_files(mine, declared), in_account(mine, lives)
        name = (parent, inside(mine[0], kinds))
        if files == account:
            held.append(name)
        # Files that differ from the last apply were changed too: either order may be the one that is meant.
        elif files != in_account(mine, {address: _as_applied(lives[address], bindings[address]) for address in mine}):
            why = (
                "its order was changed in the file, too, since the last apply: decide in the file which one it is to be"
            )
            refused.append(Refusal(*name, why))
        else:
            moves += arrangements(
                {address: declared[address] for address in (parent, *by_parent(declared, kinds)[parent])},
                {address: lives[address] for address in mine},
                kinds,
            )
    return moves, refused, held


def _as_applied(live: Live, binding: Binding) -> Live:
    return live._replace(attrs={**live.attrs, **binding.applied})
