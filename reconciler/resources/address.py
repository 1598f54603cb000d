"""Postal addresses in the footers of mailings. API: /addresses (section 2.20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from reconciler.model.http import Flow, at, put
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection
from reconciler.model.spec import Api, Folded, Link, OnAtFirst, RefTo, Spec, WriteOnly
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import Value
from reconciler.model.write import Write


class Address(Spec):
    """A postal address."""

    # Row 26 of section 7: documented in snake_case, recorded in camelCase for writes and reads.
    company_name: Annotated[str, Api("companyName")] = Field(description="Name of the company.")
    address1: str = Field(description="First line.")
    address2: str | None = Field(None, description="Second line.")
    city: str | None = Field(None, description="City.")
    state: str | None = Field(None, description="State.")
    district: str | None = Field(None, description="District, in countries that use it.")
    zip: str | None = Field(None, description="Postal code.")
    country: Annotated[str, Folded()] = Field(min_length=2, max_length=2, description="Country, two letters.")
    # The account makes the first one its default.
    default: Annotated[bool | None, Api("isDefault"), OnAtFirst()] = Field(
        None, description="Used where no other is chosen."
    )
    all_user_groups: Annotated[bool | None, Api("allgroup")] = Field(None, description="All user groups may use it.")
    # Only a write of one group is documented; reads do not return it, and /addressGroups offers nothing but DELETE.
    user_group: Annotated[Link | None, Api("groupid"), RefTo("user_group"), WriteOnly()] = Field(
        None, description="User group that may use it."
    )


class AddressKind(Kind):
    """No key is unique: company, first line, postal code and country together are the identity."""

    name = "address"
    section = "addresses"
    spec = Address
    title = "Address"
    path = "/addresses"
    wrapper = "address"
    reading = Reading((Collection("/addresses", "addresses"),), created="created_timestamp")
    identity = Identity(name_attribute="company_name")
    abilities = Abilities(writes=("/addressLists", "/addressLists/ID", "/addressGroups", "/addressGroups/ID"))
    texts = Texts(
        delete_warning="Mailings that name it lose the postal address that the law asks for.",
        one="postal address",
        many="postal addresses",
        gone="Mails that show it lack the address the law asks for.",
        place=200,
    )

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(company, first line, postal code, country)."""
        company, line = attrs.get("company_name"), attrs.get("address1")
        country = str(attrs.get("country") or "").casefold()
        return (("address", company, line, attrs.get("zip") or "", country),) if company and line else ()

    def delete(self, write: Write) -> Flow[None]:
        """A default address may not be deletable (inferred from recordings, section 2.20): it is made a plain one
        first.
        """
        if write.live is not None and write.live.attrs.get("default"):
            yield put(at(self.path, write.id), {self.wrapper: {"isDefault": 0}})
        yield from super().delete(write)


KIND = AddressKind()
