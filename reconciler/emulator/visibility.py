"""What a person would not see in the product: a question to the emulator, not to the API (sections 8.2, 8.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.emulator.account import Account


def hidden(account: Account) -> dict[str, list[str]]:
    """Return the names of lists without a user group, of contact fields without a list, and of deal and account fields
    without a field group, by the path of the API.
    """
    rows = account.rows
    shown_lists = {str(row["list"]) for row in rows.all("listGroups")}
    related = {str(row["field"]) for row in rows.all("fieldRels")}
    names = {
        "lists": [row["name"] for row in rows.all("lists") if row["id"] not in shown_lists],
        "fields": [row["title"] for row in rows.all("fields") if row["id"] not in related],
    }
    for path, number in (("dealCustomFieldMeta", 2), ("accountCustomFieldMeta", 3)):
        groups = {str(row["id"]) for row in rows.where("groupDefinitions", type_id=number)}
        members = {str(row["rel_id"]) for row in rows.all("groupMembers") if str(row["group_id"]) in groups}
        names[path] = [
            row["fieldLabel"] for row in rows.all(path) if row["id"] not in members and not row.get("knownFieldId")
        ]
    return names
