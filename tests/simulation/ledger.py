"""What the account held before and after every request: which records are gone or moved, which objects came and went,
and whose request it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from reconciler.emulator import Application

if TYPE_CHECKING:
    from tests.simulation.wire import Sent

Key = tuple[str, str]
Twins = tuple[str, str, list[str]]
"""A table, a name in it, and the ids that have it."""
WINDOW = 14
"""Requests of a process between its count of an object and its delete; a record that arrives just in between is
nobody's fault, for the API cannot count and delete at once. So is a stage that is added between the listing of a
pipeline's stages and its delete. Six steps run side by side.
"""
PROMPT = 1.0
"""Seconds between the answer to a count and the delete that follows at once, where the answer was slow."""
PAGES = re.compile(r"\b(limit|offset|page|page_size)=\d+")
"""Numbers in a URL that are no ids."""
COUNTED = {
    "fields": ("fields",), "fieldValues": ("fields",), "deals": ("dealStages", "dealGroups"),
    "dealCustomFieldMeta": ("dealCustomFieldMeta",), "dealCustomFieldData": ("dealCustomFieldMeta",),
    "accountCustomFieldMeta": ("accountCustomFieldMeta",), "accountCustomFieldData": ("accountCustomFieldMeta",),
    "customObjects": ("schemas", "schema fields"), "contacts": ("tags", "lists"), "dealRoles": ("dealRoles",),
    "dealTasks": ("dealTasktypes", "taskOutcomes"), "ecomCustomers": ("connections",),
}  # fmt: skip
"""What the reads below a path count."""
WHERE = {
    "dealStages": "[stage]", "dealGroups": "[group]", "tags": "tagid=", "lists": "listid=",
    "dealTasktypes": "tasktypeid]", "taskOutcomes": "[outcome_id]",
}  # fmt: skip
"""What a read has in its URL where it counts for an object of a table, and not for another one of the same id."""
RECORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "contacts": (),
    "contactTags": (("tags", "tag"),),
    "contactLists": (("lists", "list"),),
    "fieldValues": (("fields", "field"),),
    "dealCustomFieldData": (("dealCustomFieldMeta", "customFieldId"),),
    "accountCustomFieldData": (("accountCustomFieldMeta", "customFieldId"),),
    "deals": (("dealStages", "stage"),),
    "records": (("schemas", "schema"),),
    "dealTasks": (("dealTasktypes", "dealTasktype"), ("taskOutcomes", "outcome")),
    "contactDeals": (("dealRoles", "role"),),
    "ecomCustomers": (("connections", "connectionid"),),
}
"""Tables of customer records, with the objects that each belongs to."""
OBJECTS: dict[str, str] = {
    "tags": "tag", "lists": "name", "fields": "title", "fieldOptions": "value", "groupDefinitions": "label",
    "dealCustomFieldMeta": "fieldLabel", "accountCustomFieldMeta": "fieldLabel", "dealGroups": "title",
    "dealStages": "title", "schemas": "slug", "webhooks": "name", "dealTasktypes": "title", "taskOutcomes": "title",
    "dealRoles": "title", "groups": "title", "users": "username", "addresses": "companyName", "calendars": "title",
    "savedResponses": "title", "messages": "name", "personalizations": "tag", "connections": "externalid",
    "segmentsV2": "name", "urlWhitelistings": "whitelisted_domain", "eventTrackingEvents": "name",
    "schema fields": "id",
}  # fmt: skip
"""Tables of configuration, with the property by which people know a row."""
MADE_AT = {"customObjects": "schemas", "fieldOption": "fieldOptions"}
HOMES = {"dealStages": "group", "fieldOptions": "field", "schema fields": "schema"}
"""What an object is part of, so that its name is only one among those of its home."""
KINDS = {
    "tags": "tag", "lists": "list", "fields": "field", "groupDefinitions": "field_group",
    "dealCustomFieldMeta": "deal_field", "accountCustomFieldMeta": "account_field", "dealGroups": "pipeline",
    "dealStages": "stage", "schemas": "custom_object", "webhooks": "webhook", "dealTasktypes": "task_type",
    "taskOutcomes": "task_outcome", "dealRoles": "deal_role", "groups": "user_group", "users": "user",
    "addresses": "address", "calendars": "calendar", "savedResponses": "saved_response", "messages": "message",
    "personalizations": "personalization", "connections": "connection", "segmentsV2": "segment",
    "urlWhitelistings": "site_domain", "eventTrackingEvents": "tracked_event",
}  # fmt: skip
"""The kind of each table."""


@dataclass(frozen=True)
class Loss:
    """A record that a request took away, or moved: from where, by whom, and whether it was countable before."""

    record: Key
    place: tuple[Any, ...]
    now: tuple[Any, ...] | None
    sent: Sent
    countable: bool

    def __str__(self) -> str:
        what = "lost" if self.now is None else f"moved to {self.now}"
        return f"{'/'.join(self.record)} of {self.place} {what} by {self.sent}"


@dataclass(frozen=True)
class Removed:
    """An object that a request took away."""

    table: str
    id: str
    name: str
    home: str
    sent: Sent

    def __str__(self) -> str:
        return f"{self.table}/{self.id} {self.name!r} removed by {self.sent}"


def _head(sent: Sent) -> str:
    """Return the first part of the path of a request."""
    return sent.url.strip("/").partition("/")[0].partition("?")[0]


@dataclass
class Ledger:
    """The books of one account."""

    account: Application
    losses: list[Loss] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    made: dict[Key, Sent] = field(default_factory=dict)
    arrived: dict[Key, dict[str, int]] = field(default_factory=dict)
    _counted: dict[tuple[str, str, str], list[Sent]] = field(default_factory=dict)
    _listed: dict[tuple[str, str], list[Sent]] = field(default_factory=dict)
    """Listings of the stages of a pipeline, by process and pipeline."""

    def records(self) -> dict[Key, tuple[Any, ...]]:
        """Return every customer record with its place."""
        rows = self.account.rows
        found: dict[Key, tuple[Any, ...]] = {}
        for table, parents in RECORDS.items():
            for row in rows.all(table):
                found[table, str(row["id"])] = tuple((name, str(row.get(column))) for name, column in parents)
                if table == "deals":
                    stage = rows.get("dealStages", row.get("stage")) or {}
                    found[table, str(row["id"])] += (("dealGroups", str(stage.get("group", row.get("group")))),)
                if table == "records":
                    alive = {str(one["id"]) for one in (rows.get("schemas", row["schema"]) or {}).get("fields", ())
                             if one.get("status") != "marked_for_deletion"}  # fmt: skip
                    for value in row.get("fields", ()):
                        if str(value["id"]) in alive:
                            found[f"value of {row['id']}", str(value["id"])] = (
                                ("schemas", str(row["schema"])), ("schema fields", str(value["id"])),
                            )  # fmt: skip
                if table == "fieldValues":
                    for option in rows.where("fieldOptions", field=row["field"]):
                        if str(option["value"]) == str(row.get("value")):
                            found["choice", str(row["id"])] = (("fields", str(row["field"])),)
        return found

    def objects(self) -> dict[Key, str]:
        """Return every object of the configuration with its name."""
        rows = self.account.rows
        found: dict[Key, str] = {}
        for table, column in OBJECTS.items():
            for row in rows.all(table):
                found[table, str(row.get("id", row.get(column)))] = str(row.get(column))
        for schema in rows.all("schemas"):
            for one in schema["fields"]:
                if one.get("status") != "marked_for_deletion":
                    found["schema fields", f"{schema['id']} {one['id']}"] = str(one["id"])
        return found

    @contextmanager
    def watching(self, sent: Sent) -> Iterator[None]:
        """Book what one request changes."""
        if sent.method == "GET":
            if (pipeline := re.search(r"^/dealStages\?.*\[d_groupid\]=(\d+)", unquote(sent.url))) is not None:
                self._listed.setdefault((sent.process.name, pipeline[1]), []).append(sent)
            for token in set(re.findall(r"[A-Za-z0-9-]+", PAGES.sub("", sent.url))):
                for table in COUNTED.get(_head(sent), ()):
                    if WHERE.get(table, "") not in unquote(sent.url):
                        continue
                    self._counted.setdefault((sent.process.name, table, token), []).append(sent)
            yield
            return
        before, things, homes = self.records(), self.objects(), self._homes()
        yield
        after, now = self.records(), self.objects()
        for key, place in before.items():
            if after.get(key) != place:
                self.losses.append(Loss(key, place, after.get(key), sent, self._countable(key, place, sent)))
        self.removed += [Removed(*key, things[key], homes.get(key, ""), sent) for key in things if key not in now]
        table = MADE_AT.get(_head(sent), _head(sent))
        self.made |= {key: sent for key in now if key not in things and key[0] == table and sent.method == "POST"}

    def _homes(self) -> dict[Key, str]:
        rows = self.account.rows
        found = {("fieldOptions", str(row["id"])): f"fields/{row['field']}" for row in rows.all("fieldOptions")}
        for row in rows.all("schemas"):
            found |= {("schema fields", f"{row['id']} {one['id']}"): f"schemas/{row['id']}" for one in row["fields"]}
        return found

    def present(self) -> set[tuple[str, str, str]]:
        """Return the parts that objects have now, as (table, home, name); some accounts remove and remake them."""
        homes, names = self._homes(), self.objects()
        return {(key[0], home, names[key]) for key, home in homes.items() if key in names}

    def _countable(self, key: Key, place: tuple[Any, ...], sent: Sent) -> bool:
        """Return whether the process could have known of a record when it sent this."""
        base = ("records", key[0].removeprefix("value of ")) if key[0].startswith("value of ") else key
        arrived = self.arrived.get(("fieldValues", key[1]) if key[0] == "choice" else base)
        if arrived is None:
            return True
        reads = [read for table, one in place for read in self._counted.get((sent.process.name, table, one), ())]
        reads = [read for read in reads if read.number < sent.number]  # this one may arrive late
        if not reads:
            return True
        counted = max(reads, key=lambda read: read.number)
        at_once = sent.number - counted.number <= WINDOW or 0 <= sent.at - counted.back <= PROMPT
        return not (at_once and arrived.get(sent.process.name, 0) >= counted.number)

    def avoidable(self, one: Removed, added: dict[str, int]) -> bool:
        """Return whether the process that took away a stage could have known that somebody had added it, with so many
        requests of each process before: it lists the stages of a pipeline right before it deletes the pipeline, and the
        API cannot do both at once.
        """
        pipeline = re.fullmatch(r"/dealGroups/(\d+)", one.sent.url)
        listings = self._listed.get((one.sent.process.name, pipeline[1]), []) if pipeline else []
        seen = [listing for listing in listings if listing.number < one.sent.number]
        if not seen:
            return True
        last = max(seen, key=lambda listing: listing.number)
        at_once = one.sent.number - last.number <= WINDOW or 0 <= one.sent.at - last.back <= PROMPT
        return not (at_once and added.get(one.sent.process.name, 0) >= last.number)

    def twins(self) -> list[Twins]:
        """Return the objects that requests of the program made twice, those aside that it has switched off instead of
        deleting them (section 7, row 6).
        """
        names = self.objects()
        seen: dict[tuple[str, str, str], list[str]] = {}
        for key in self.made:
            if key in names:
                row = self.account.rows.get(*key) or {}
                if key[0] == "dealTasktypes" and str(row.get("status")) == "0":
                    continue
                seen.setdefault((key[0], str(row.get(HOMES.get(key[0], ""), "")), names[key]), []).append(key[1])
        return [(table, name, ids) for (table, _, name), ids in seen.items() if ids[1:]]
