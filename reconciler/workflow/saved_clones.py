"""Saved clones: one is carried out as a whole, if both accounts are still as they were, or not at all."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model import document as doc
from reconciler.model.address import abridged
from reconciler.model.errors import StalePlan
from reconciler.model.values import Value
from reconciler.planning.bindings import salted
from reconciler.planning.document import from_document
from reconciler.workflow.cloning import Clone, prepare_clone
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned
from reconciler.workflow.plans.promises import as_shown
from reconciler.workflow.plans.saved import fits


async def prepare_saved_clone(source: Session, target: Session, document: doc.PlanDocument) -> Clone:
    """Plan a saved clone once more from both accounts, and return it if it is what was saved, with its numbers.

    Raises StalePlan otherwise: a clone is carried out as a whole or not at all.
    """
    fits(target, document, open_book(target))
    how = document.options["clone"]
    only = None if how["kinds"] is None else frozenset(how["kinds"])
    clone = await prepare_clone(source, target, options_of(document), prune=how["prune"], only=only)
    changed = _changed(document, clone.planned)
    if changed:
        raise StalePlan(
            f"{source.settings.name} or {target.settings.name} changed since the plan was made: {abridged(changed)}",
            hint="make a new plan with `reconciler clone --out FILE`",
        )
    return replace(clone, planned=as_shown(clone.planned, document))


def options_of(document: doc.PlanDocument) -> PlanOptions:
    """Return what a saved clone was asked for."""
    options = document.options
    target, exclude, allow = (tuple(options.get(name, ())) for name in ("target", "exclude", "allow"))
    return PlanOptions(target, exclude, impact=bool(options.get("impact")), allow=allow)


def _changed(saved: doc.PlanDocument, now: Planned) -> list[str]:
    """Return the addresses of which another thing is to be done than a saved plan says."""
    resources = now.inputs.desired.resources
    other: set[str] = set()

    def same_text(address: str, name: str, expected: str) -> Value:
        value = resources[address].attrs.get(name) if address in resources else None
        if isinstance(value, str) and salted(value, saved.salt) == expected:
            return value
        other.add(address)
        return None

    def as_it_is(address: str, name: str, _: str) -> Value:
        return resources[address].attrs.get(name) if address in resources else None

    was, wanted = from_document(saved, same_text).resources, from_document(now.document, as_it_is).resources
    sides = [
        {
            change.address: (
                change.action,
                change.id,
                change.fingerprint,
                asked[change.address].attrs if change.address in asked else {},
            )
            for change in document.changes
        }
        for document, asked in ((saved, was), (now.document, wanted))
    ]
    return sorted(other | {name for name in {*sides[0], *sides[1]} if sides[0].get(name) != sides[1].get(name)})
