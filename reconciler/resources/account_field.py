"""Account custom fields. API: /accountCustomFieldMeta (section 2.6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.live import Collection
from reconciler.model.traits import Texts
from reconciler.resources import membership, records
from reconciler.resources.meta_field import GROUP_TEXT, GroupLink, MetaField, MetaFieldKind, ensured


class AccountField(MetaField):
    """A custom field of accounts (companies)."""

    group: Annotated[GroupLink, ensured(membership.ACCOUNT)] = Field(None, description=GROUP_TEXT)


class AccountFieldKind(MetaFieldKind):
    """The twin of deal fields; no recordings exist."""

    name = "account_field"
    section = "account_fields"
    spec = AccountField
    title = "Account field"
    path = "/accountCustomFieldMeta"
    wrapper = "accountCustomFieldMetum"
    group_type = membership.ACCOUNT
    data = "accountCustomFieldData"
    holders = "accounts"
    reading = MetaFieldKind.reading._replace(
        collections=(Collection("/accountCustomFieldMeta", "accountCustomFieldMeta"),)
    )
    abilities = MetaFieldKind.abilities._replace(salvage=records.ACCOUNT_VALUES)
    texts = Texts(
        delete_warning="Every account's value of the field is deleted with it; there is no undo.",
        gone="What companies have in this field is deleted.",
        place=50,
    )


KIND = AccountFieldKind()
