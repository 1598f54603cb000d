"""Deal roles: what a contact is to a deal. API: /dealRoles (section 2.9)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.http import Flow, at
from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import KEY, Default, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.write import Impact, Write
from reconciler.resources.counts import counted_rows


class DealRole(Spec):
    """A role of contacts in deals."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the role.")


class DealRoleKind(Kind):
    """There is no update (section 2.9): a rename is made manually, for a replace would take the role from contacts."""

    name = "deal_role"
    section = "deal_roles"
    spec = DealRole
    title = "Deal role"
    path = "/dealRoles"
    wrapper = "dealRole"
    reading = Reading((Collection("/dealRoles", "dealRoles"),), created="created_timestamp")
    identity = Identity(name_attribute="title")
    abilities = Abilities(updatable=False)
    texts = Texts(
        delete_warning="Contacts lose the role in their deals; there is no undo.",
        manual_step="rename the role in the settings of deals",
        gone="Contacts lose this role in their deals.",
        place=160,
    )

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Contacts that have the role: rows of the linked sub-collection (section 5)."""
        if not write.destroying:
            return []
        count = yield from counted_rows(at("/dealRoles", write.id, "contactDeals"), "contactDeals")
        return [Impact(count, "contacts have the role in a deal")]


KIND = DealRoleKind()
