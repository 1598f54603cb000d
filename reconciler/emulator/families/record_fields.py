"""Fields of deals and accounts, and their values (sections 2.5, 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.answers import invalid, whole
from reconciler.emulator.families.contact_fields import derived_perstag, leave_groups
from reconciler.emulator.rows import Row
from reconciler.emulator.types import OFFSET

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

FORECASTED_CLOSE_DATE: Row = {
    "fieldLabel": "Forecasted Close Date", "fieldType": "date", "knownFieldId": 13,
    "personalization": "DEAL_FORECASTED_CLOSE_DATE",
}  # fmt: skip
"""The built-in deal field (section 8.4)."""
RESERVED = frozenset({"DEAL_TITLE", "DEAL_VALUE", "DEAL_STAGE", "DEAL_OWNER", "DEAL_STATUS", "DEAL_PIPELINE"})
"""Tags that a label cannot take: "title" became DEAL_TITLE_1 (recorded; the others inferred)."""
FLAGS = ("isFormVisible", "isRequired")


class RecordFields(Behaviour):
    """Integers and nulls as they are."""

    def __init__(self, path: str, wrapper: str, prefix: str, group_type: int) -> None:
        self._path, self._wrapper, self._prefix, self._group_type = path, wrapper, prefix, group_type

    def creating(self, account: Account, given: Row) -> None:
        """Label and type are required; the real body of this 422 is unknown, the documented one is not JSON."""
        titles = {"fieldLabel": "label", "fieldType": "type"}
        gone = [titles[name] for name in titles if not given.get(name)]
        if gone:
            raise invalid(*({"title": f"The field {n} field is required.", "detail": "", "code": 422} for n in gone))
        _flags(given)

    def born(self, account: Account, row: Row, given: Row) -> None:
        """The tag follows from the label; a collision gets a number (recorded)."""
        row["personalization"] = base = f"{self._prefix}_{derived_perstag(row['fieldLabel'])}"
        number = 0
        while row["personalization"] in RESERVED or account.rows.where(
            self._path, personalization=row["personalization"]
        ):
            number += 1
            row["personalization"] = f"{base}_{number}"

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The whole object (recorded)."""
        return {self._wrapper: classic.shown(account, account.types[self._path], row)}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Flags become integers."""
        _flags(given)

    def deleted(self, account: Account, row: Row) -> None:
        """All values go with a field."""
        account.rows.remove_where(self._path.replace("Meta", "Data"), customFieldId=row["id"])
        leave_groups(account, row["id"], self._group_type)


class Values(Behaviour):
    """Values of such fields."""

    def __init__(self, twin: str) -> None:
        self._twin = twin

    def shown(self, account: Account, row: Row) -> Row:
        """The field's id has two names [OAS]."""
        return row | {self._twin: row["customFieldId"]}


def _flags(given: Row) -> None:
    for name in FLAGS:
        if isinstance(given.get(name), bool | str):
            given[name] = whole(given[name])


def _fields(path: str, wrapper: str, label: str, prefix: str, group_type: int) -> Type:
    data = path.replace("Meta", "Data")
    return Type(
        path, wrapper, label,
        total="none", native=True, limit=100,
        defaults={
            "fieldLabel": "", "fieldType": "", "fieldOptions": None, "fieldDefault": None,
            "fieldDefaultCurrency": None, "isFormVisible": 0, "isRequired": 0, "displayOrder": 1,
            "personalization": "", "knownFieldId": None, "hideFieldFlag": 0,
        },
        readonly=("personalization", "knownFieldId", "hideFieldFlag"),
        frozen=("fieldType", "fieldDefaultCurrency"),  # not in the PUT schema
        dates={"createdTimestamp": OFFSET, "updatedTimestamp": OFFSET},
        deleted={"message": f"{label} deleted."},
        children={data: Child(data, "customFieldId")},
        acts=RecordFields(path, wrapper, prefix, group_type),
    )  # fmt: skip


def _values(path: str, wrapper: str, label: str, holder: str, filter_name: str) -> Type:
    return Type(
        path, wrapper, label,
        total="int" if path.startswith("deal") else "none",
        native=True, created=200,
        defaults={"customFieldId": None, holder: None, "fieldValue": None},
        columns=("fieldCurrency",),
        names={"customerAccountId": "accountId"},
        dates={"createdTimestamp": OFFSET, "updatedTimestamp": OFFSET},
        filters={filter_name: Filter(holder)},
        deleted={"message": f"{label} deleted."},
        acts=Values(f"{wrapper.replace('Datum', 'Metum')}Id"),
    )  # fmt: skip


TYPES = (
    _fields("dealCustomFieldMeta", "dealCustomFieldMetum", "DealCustomFieldMeta", "DEAL", 2),
    _fields("accountCustomFieldMeta", "accountCustomFieldMetum", "AccountCustomFieldMeta", "ACCT", 3),
    _values("dealCustomFieldData", "dealCustomFieldDatum", "DealCustomFieldData", "dealId", "filters[dealId]"),
    _values(
        "accountCustomFieldData", "accountCustomFieldDatum", "AccountCustomFieldData", "accountId",
        "filters[customerAccountId]",
    ),
)  # fmt: skip
