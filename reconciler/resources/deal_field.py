"""Deal custom fields. API: /dealCustomFieldMeta (section 2.5)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.live import Collection
from reconciler.model.traits import Texts
from reconciler.resources import membership, records
from reconciler.resources.meta_field import GROUP_TEXT, GroupLink, MetaField, MetaFieldKind, ensured


class DealField(MetaField):
    """A custom field of deals."""

    group: Annotated[GroupLink, ensured(membership.DEAL)] = Field(None, description=GROUP_TEXT)


class DealFieldKind(MetaFieldKind):
    """The wrapper of one field is `dealCustomFieldMetum`; the plural is silently ignored on PUT (recorded, section
    1.3).
    """

    name = "deal_field"
    section = "deal_fields"
    spec = DealField
    title = "Deal field"
    path = "/dealCustomFieldMeta"
    wrapper = "dealCustomFieldMetum"
    group_type = membership.DEAL
    data = "dealCustomFieldData"
    holders = "deals"
    reading = MetaFieldKind.reading._replace(collections=(Collection("/dealCustomFieldMeta", "dealCustomFieldMeta"),))
    abilities = MetaFieldKind.abilities._replace(salvage=records.DEAL_VALUES)
    texts = Texts(
        delete_warning="Every deal's value of the field is deleted with it; there is no undo.",
        gone="What deals have in this field is deleted.",
        place=40,
    )


KIND = DealFieldKind()
