"""What the API offers for each operation on a kind and for each of its attributes, derived from the declaration of the
kind: planned on, printed by `kinds`, and carried by the documentation.
"""

from __future__ import annotations

from enum import StrEnum

from reconciler.model.kind import Kind
from reconciler.model.records import record
from reconciler.model.spec import AfterCreate, Attribute, CreateOnly, Immutable, Observed, Once, WriteOnly


class Support(StrEnum):
    """How the API serves an operation."""

    DOCUMENTED = "documented"
    OBSERVED = "observed, not documented"
    SECOND_CALL = "by an update after the create"
    REPLACES = "replaces the object"
    MANUALLY = "manually"
    NEVER = "never"
    NONE = "no endpoint"
    APPLIED = "not returned: compared with what was last applied"


@record
class Operations:
    """The operations on whole objects of a kind."""

    create: Support
    update: Support
    delete: Support
    note: str = ""


@record
class Capability:
    """The operations on one attribute. `note` says what to do manually, or where an undocumented property was seen."""

    attribute: str
    create: Support
    update: Support
    read: Support
    note: str = ""


def operations(kind: Kind) -> Operations:
    """Return what can be done to objects of a kind."""
    if not kind.abilities.managed:
        return Operations(Support.NONE, Support.NONE, Support.NONE, "looked up only")
    create = _observed(kind, "create") if kind.abilities.creatable else Support.NONE
    update = _observed(kind, "update") if kind.abilities.updatable else Support.NONE
    delete = _observed(kind, "delete") if kind.abilities.deletable and not kind.texts.removal_effect else Support.NONE
    return Operations(
        create, update, delete, f"removed: {kind.texts.removal_effect}" if kind.texts.removal_effect else ""
    )


def capabilities(kind: Kind) -> list[Capability]:
    """Return what can be done to each attribute of a kind, in the order of its spec."""
    return [_capability(kind, attribute) for attribute in kind.attributes.values()]


def _observed(kind: Kind, operation: str) -> Support:
    return Support.OBSERVED if operation in kind.abilities.observed else Support.DOCUMENTED


def _capability(kind: Kind, attribute: Attribute) -> Capability:
    whole = operations(kind)
    manual, seen = attribute.mark(CreateOnly), attribute.mark(Observed)
    create, update = whole.create, whole.update
    if attribute.has(AfterCreate):
        create = Support.SECOND_CALL
    if seen is not None:
        create = update = Support.OBSERVED
    if attribute.has(Once):
        update = Support.NEVER
    elif attribute.has(Immutable):
        update = Support.REPLACES
    elif kind.abilities.managed and (manual is not None or not kind.abilities.updatable):
        update = Support.MANUALLY
    read = Support.NEVER if attribute.has(Once) else Support.APPLIED if attribute.has(WriteOnly) else Support.DOCUMENTED
    note = manual.how if manual is not None else kind.texts.manual_step if update is Support.MANUALLY else ""
    return Capability(attribute.name, create, update, read, note or (seen.why if seen is not None else ""))
