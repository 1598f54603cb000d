"""Customer records as they are archived and put back, see `model.archive`. No kind lives here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.model.archive import ArchiveSpec, CustomerRecord
from reconciler.model.http import Request, at, post

AUTOMATIONS = "automations that start with it may run again"


def _of(*names: str) -> Callable[[str, CustomerRecord], bool]:
    """Tell rows of the object by the property that has its id; a row without any is believed."""
    return lambda identity, row: identity in ([str(row[name]) for name in names if name in row] or [identity])


def _value(value: str, *names: str) -> Callable[[str, CustomerRecord], bool]:
    """Tell values of the object; blank ones are none."""
    own = _of(*names)
    return lambda identity, row: row.get(value) not in (None, "") and own(identity, row)


def _whole(row: CustomerRecord) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "links"}


def _record(record: CustomerRecord) -> dict[str, Any]:
    """Related ids are read as texts, and written as numbers [OAS, examples of /customObjects/records]."""
    related = {
        name: [int(identity) if str(identity).isdecimal() else identity for identity in identities]
        for name, identities in (record.get("relationships") or {}).items()
    }
    return {**record, **({"relationships": related} if related else {})}


def _data(name: str, *holders: str) -> ArchiveSpec:
    """Values of a deal or account field. Their holder is read under any of these names, and written under the last; of
    money, `fieldCurrency` says which.
    """
    data = f"{name}CustomFieldData"

    def kept(row: CustomerRecord) -> dict[str, Any]:
        owner = next((row[holder] for holder in holders if holder in row), None)
        money = {"currency": row["fieldCurrency"]} if row.get("fieldCurrency") else {}
        return {name: str(owner), "value": row.get("fieldValue"), **money}

    def back(identity: str, record: CustomerRecord) -> Request:
        money = {"fieldCurrency": record["currency"]} if "currency" in record else {}
        body = {holders[-1]: record[name], "customFieldId": identity, "fieldValue": record["value"], **money}
        return post(f"/{data}", {f"{name}CustomFieldDatum": body})

    return ArchiveSpec(
        f"/{name}CustomFieldMeta/{{id}}/{data}",
        data,
        kept,
        name,
        table=f"/{data}",
        mine=_value("fieldValue", "customFieldId", f"{name}CustomFieldMetumId"),
        back=back,
        stays=True,
        untold=True,
    )


TAGGED = ArchiveSpec(
    "/contacts",
    "contacts",
    lambda row: {"contact": str(row["id"])},
    "contact",
    (("tagid", "{id}"),),
    total=("/tags/{id}", "tag", "subscriber_count"),
    back=lambda identity, record: post("/contactTags", {"contactTag": {"contact": record["contact"], "tag": identity}}),
    warning=AUTOMATIONS,
)
VALUES = ArchiveSpec(
    "/fieldValues",
    "fieldValues",
    lambda row: {"contact": str(row.get("contact")), "value": row.get("value")},
    "contact",
    (("filters[fieldid]", "{id}"),),
    mine=_value("value", "field"),
    back=lambda identity, record: post(
        "/fieldValues", {"fieldValue": {"contact": record["contact"], "field": identity, "value": record["value"]}}
    ),
    stays=True,
    warning=AUTOMATIONS,
)
DEAL_VALUES = _data("deal", "dealId")
# Section 2.6 of the API page: read under one name, written under the other.
ACCOUNT_VALUES = _data("account", "accountId", "customerAccountId")
STAGE_DEALS = ArchiveSpec(
    "/deals",
    "deals",
    _whole,
    "id",
    (("filters[stage]", "{id}"),),
    mine=_of("stage"),
    back=lambda identity, record: Request(
        "PUT", at("/deals", record["id"]), body={"deal": {"stage": identity}}, expect=(404,)
    ),
    lost="deals that went with their stage cannot be made again; they are in the archive",
    warning="deals that were moved to other stages meanwhile are moved back",
)
PIPELINE_DEALS = ArchiveSpec(
    "/deals",
    "deals",
    _whole,
    "id",
    (("filters[group]", "{id}"),),
    mine=_of("group"),
    lost="deals that went with their pipeline cannot be made again; they are in the archive",
)
SUBSCRIBED = ArchiveSpec(
    "/contacts",
    "contacts",
    lambda row: {"contact": str(row["id"]), **_whole(row)},  # who is on no other list goes with it (row 37)
    "contact",
    (("listid", "{id}"), ("status", "-1")),
    lost="contacts are not subscribed again, for that may send them mail; they are in the archive",
)
RECORDS = ArchiveSpec(
    "/customObjects/records/{id}",
    "records",
    lambda row: {name: row[name] for name in ("externalId", "fields", "relationships") if name in row},
    "externalId",
    back=lambda identity, record: post(at("/customObjects/records", identity), {"record": _record(record)}),
    lost="records that are still there are not written over; what they held is in the archive",
)
