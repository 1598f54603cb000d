"""Connections of deep data, and their customers as far as they are counted (section 2.27)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.answers import error, invalid
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account


class Connections(Behaviour):
    """Service and external id are unique together."""

    def creating(self, account: Account, given: Row) -> None:
        """A second one is refused (inferred)."""
        _unique(account, given, {})

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The marker of native integrations is answered as a number [OAS]."""
        return {"connection": {"isInternal": 0, **answer}}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """The same check."""
        _unique(account, given, row)

    def deleted(self, account: Account, row: Row) -> None:
        """Customers go (assumed)."""
        account.rows.remove_where("ecomCustomers", connectionid=row["id"])


def _unique(account: Account, given: Row, own: Row) -> None:
    service, external = ({**own, **given}.get(name) for name in ("service", "externalid"))
    twins = account.rows.where("connections", externalid=external, service=service)
    if any(row["id"] != own.get("id") for row in twins):
        raise invalid(error("The connection externalid has already been taken.", "externalid", code="duplicate"))


TYPES = (
    Type(
        "connections", "connection", "Connection",
        required=("service", "externalid", "name", "logoUrl", "linkUrl"),
        defaults={"isInternal": "0", "status": "1", "syncStatus": "0", "lastSync": None, "listId": "0"},
        readonly=("isInternal", "lastSync"),
        filters={"filters[service]": Filter("service"), "filters[externalid]": Filter("externalid")},
        children={"customers": Child("ecomCustomers", "connectionid")},
        acts=Connections(),
    ),
    Type(
        "ecomCustomers", "ecomCustomer", "EcomCustomer",
        required=("connectionid", "externalid", "email"),
        filters={
            "filters[connectionid]": Filter("connectionid"), "filters[externalid]": Filter("externalid"),
            "filters[email]": Filter("email"),
        },
    ),
)  # fmt: skip
