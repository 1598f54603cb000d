"""Whether two accounts are equal modulo ids and the order of ids, judged on their rows and on nothing else.

The rows of an account are read as things: what a person would call a list, with its sender and who may see it. What
refers to another thing is read as that thing; where things are shown in an order that the account keeps, as a sequence.
Which thing of one account is which of the other one says a pairing, and whoever gives a wrong one finds differences.

This module is written from the vendor's facts (the API page), and knows nothing of how the program reads or writes.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Dump = Mapping[str, Sequence[Row]]
Key = tuple[str, str]
"""Kind and id of a thing."""
Pairing = Mapping[Key, str]
"""Kind and id in one account -> id in the other."""

COMPUTED = frozenset(
    "id cdate udate mdate ldate created_timestamp updated_timestamp created_utc_timestamp updated_utc_timestamp "
    "createdTimestamp updatedTimestamp created_at updated_at created_date updated_date created_by updated_by links "
    "last_sent_user_id lastSync token userid user_id hash hash_simple segment_hash".split()
)
"""What the server says of a row: when and by whom it was made (sections 1.4, 2)."""


@dataclass(frozen=True, order=True)
class At:
    """A reference; `dead` where the account has nothing of this id."""

    kind: str
    id: str
    dead: bool = False


@dataclass(frozen=True)
class Ranked:
    """Things or values with the numbers that order them; equal numbers leave the order open (section 2.8)."""

    items: tuple[tuple[float, Any], ...]

    def __str__(self) -> str:
        return str([item for _, item in sorted(self.items, key=lambda one: one[0])])


Thing = dict[str, Any]
Things = dict[Key, Thing]


@dataclass(frozen=True, order=True)
class Difference:
    """What one thing has otherwise in the other account; `name` is "" where all of it is missing, or is too much."""

    kind: str
    id: str
    name: str
    here: str
    there: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id} {self.name}: {self.here} / {self.there}"


def plain(value: Any) -> Any:
    """Return a value without the types that the API mixes (section 1.4): texts, numbers, flags, null and ""."""
    if isinstance(value, Mapping):
        if value and all(str(key).isdigit() for key in value):  # a PHP array with holes (row 53 of section 7)
            return [plain(one) for _, one in sorted(value.items(), key=lambda pair: int(pair[0]))]
        return {key: plain(one) for key, one in value.items() if plain(one) not in ("", [], {})}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


class _Reader:
    """The things of one account."""

    def __init__(self, dump: Dump) -> None:
        self.dump = dump
        self.ids = {
            kind: {str(row[NAMED.get(kind, "id")]) for row in self.rows(table)} for kind, table in TABLES.items()
        }
        # Nothing lists segments that nobody saved (section 2.30).
        self.ids["segment"] = {str(row["id"]) for row in self.rows("segmentsV2") if row.get("name")}
        self.ids["stage"] = {
            str(row["id"]) for row in self.rows("dealStages") if str(row["group"]) in self.ids["pipeline"]
        }

    def rows(self, table: str) -> Sequence[Row]:
        return self.dump.get(table, ())

    def at(self, kind: str, identity: Any, *none: str) -> Any:
        """Return what an id refers to; one of `none` refers to nothing."""
        shown = str(plain(identity))
        return "" if shown in ("", *none) else At(kind, shown, shown not in self.ids[kind])

    def joined(self, table: str, owner: str, mine: str, other: str, kind: str) -> frozenset[Any]:
        """Return the other ends of the rows that relate things to `mine`."""
        return frozenset(self.at(kind, row[other]) for row in self.rows(table) if str(row[owner]) == mine)

    def things(self) -> Things:
        return {
            (kind, identity): self.thing(kind, row)
            for kind, table in TABLES.items()
            for row in self.rows(table)
            if (identity := str(row[NAMED.get(kind, "id")])) in self.ids[kind]
        }

    def said(self, value: Any) -> Any:
        """Return a text with the things that it names by their ids (`list=7` in a link) as those."""
        parts = re.split(r"\blist=(\d+)", value) if isinstance(value, str) else []
        return tuple(self.at("list", one) if odd % 2 else one for odd, one in enumerate(parts)) if parts[1:] else value

    def thing(self, kind: str, row: Row) -> Thing:
        found = {
            name: self.said(plain(value))
            for name, value in row.items()
            if name not in COMPUTED | ELSEWHERE.get(kind, frozenset())
        }
        more = READERS.get(kind)
        found |= more(self, row) if more is not None else {}
        return {name: value.casefold() if name in FOLDED else value for name, value in found.items()}


TABLES: Mapping[str, str] = {
    "account_field": "accountCustomFieldMeta",
    "address": "addresses",
    "branding": "brandings",
    "calendar": "calendars",
    "connection": "connections",
    "custom_object": "schemas",
    "deal_field": "dealCustomFieldMeta",
    "deal_role": "dealRoles",
    "event_tracking": "eventTracking",
    "field": "fields",
    "field_group": "groupDefinitions",
    "list": "lists",
    "message": "messages",
    "personalization": "personalizations",
    "pipeline": "dealGroups",
    "saved_response": "savedResponses",
    "segment": "segmentsV2",
    "site_domain": "urlWhitelistings",
    "site_tracking": "siteTracking",
    "stage": "dealStages",
    "tag": "tags",
    "task_outcome": "taskOutcomes",
    "task_type": "dealTasktypes",
    "tracked_event": "eventTrackingEvents",
    "user": "users",
    "user_group": "groups",
    "webhook": "webhooks",
}
NAMED: Mapping[str, str] = {"tracked_event": "name"}
"""What has no id: names tell them apart."""
ELSEWHERE: Mapping[str, frozenset[str]] = {
    "account_field": frozenset({"personalization"}),  # the server derives it from the label (section 2.6)
    "deal_field": frozenset({"personalization"}),
    "connection": frozenset({"status", "syncStatus"}),  # how the service is doing (section 2.27)
    "field": frozenset({"options", "relations"}),
    "custom_object": frozenset({"icons"}),
    "message": frozenset({"user"}),
    "pipeline": frozenset({"stages", "users", "groups", "win_probability_initialize_date"}),
    "segment": frozenset({"segment_id", "segment_conditions", "segment_condition_groups"}),
    "user": frozenset({"password_updated_utc_timestamp"}),
}
"""What the server derives, and what is read from other rows or in another form below."""


FOLDED = frozenset({"currency", "fieldDefaultCurrency"})
"""Codes that the API writes in either case (section 8.1)."""


def _field(reader: _Reader, row: Row) -> Thing:
    options = [one for one in reader.rows("fieldOptions") if str(one["field"]) == str(row["id"])]
    shown = (
        {"value": value, "label": plain(one.get("label")) or value, "isdefault": plain(one.get("isdefault"))}
        for one in options
        for value in (plain(one.get("value")),)  # what no label says is shown as it is stored (section 2.2)
    )
    return {
        "options": Ranked(
            tuple((_number(one["orderid"]), json.dumps(what)) for one, what in zip(options, shown, strict=True))
        ),
        "lists": frozenset(
            "all" if str(one["relid"]) == "0" else reader.at("list", one["relid"])
            for one in reader.rows("fieldRels")
            if str(one["field"]) == str(row["id"])
        ),
    }


def _group(reader: _Reader, row: Row) -> Thing:
    kind = FIELDS.get(str(plain(row["type_id"])), "field")
    places: dict[Any, float] = {}  # a field that is a member twice is one, at its first place
    for one in reader.rows("groupMembers"):
        at = reader.at(kind, one["rel_id"])
        if str(one["group_id"]) == str(row["id"]) and not at.dead:
            places[at] = min(_number(one["ordernum"]), places.get(at, math.inf))
    return {"members": Ranked(tuple((place, at) for at, place in places.items()))}


FIELDS = {"1": "field", "2": "deal_field", "3": "account_field"}


def _pipeline(reader: _Reader, row: Row) -> Thing:
    mine = str(row["id"])
    stages = [one for one in reader.rows("dealStages") if str(one["group"]) == mine]
    return {
        "users": reader.joined("dealGroupUsers", "dealGroup", mine, "user", "user"),
        "groups": reader.joined("dealGroupGroups", "dealGroup", mine, "group", "user_group"),
        "stages": Ranked(tuple((_number(one["order"]), At("stage", str(one["id"]))) for one in stages)),
    }


def _custom_object(reader: _Reader, row: Row) -> Thing:
    fields = []
    for field in plain(row.get("fields") or []):
        options = [plain({**one, "id": ""}) for one in field.get("options", [])]
        required = "1" if "1" in (field.get("required"), field.get("isRequired")) else ""
        known = {name: value for name, value in field.items() if name not in ("required", "isRequired")}
        fields.append({**known, **({"options": options} if options else {}), **({"required": "1"} if required else {})})
    return {
        "parentId": reader.at("custom_object", row.get("parentId")),
        "fields": fields,
        "relationships": sorted(map(str, plain(row.get("relationships") or []))),
    }


TESTED = {"tagid": "tag", "listid": "list", "fieldid": "field"}
"""What the value of a test in a segment is an id of (section 2.11)."""


def _inner(test: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a test without the flag that it is not about another system: left out, it says the same."""
    return {name: value for name, value in test.items() if (name, value) != ("external", "0")}


def _segment(reader: _Reader, row: Row) -> Thing:
    """Conditions stand where the groups name them: the numbers are the segment's own."""
    conditions = {}
    for one in plain(row.get("segment_conditions") or []):
        tests = [
            {**test, "value": reader.at(TESTED[test["name"]], test["value"])} if test.get("name") in TESTED else test
            for test in map(_inner, one.get("fields", []))
        ]
        known = {name: value for name, value in one.items() if name not in COMPUTED}
        conditions[one.get("id")] = {**known, "fields": tests}
    named: set[Any] = set()
    groups = []
    for group in plain(row.get("segment_condition_groups") or []):
        named |= {one.get("id") for one in group.get("values", [])}
        members = [
            conditions.get(one.get("id"), one) if one.get("type") == "condition" else one
            for one in group.get("values", [])
        ]
        groups.append({**{name: value for name, value in group.items() if name not in COMPUTED}, "values": members})
    loose = [one for identity, one in conditions.items() if identity not in named]
    # One category has two spellings: a summary writes it in small letters (section 2.11).
    return {"groups": groups, "loose": loose, "category": str(row.get("category") or "AUDIENCE").upper()}


READERS: Mapping[str, Callable[[_Reader, Row], Thing]] = {
    "address": lambda reader, row: {
        "groups": reader.joined("addressGroups", "address", str(row["id"]), "group", "user_group")
    },
    "connection": lambda reader, row: {"listId": reader.at("list", row.get("listId"), "0")},
    "custom_object": _custom_object,
    "field": _field,
    "field_group": _group,
    "list": lambda reader, row: {
        **{name: _addresses(row.get(name)) for name in ("carboncopy", "subscription_notify", "unsubscription_notify")},
        "user": reader.at("user", row.get("user"), "0"),
        "groups": reader.joined("listGroups", "list", str(row["id"]), "group", "user_group"),
    },
    "personalization": lambda reader, row: {
        "listIds": frozenset(
            reader.at("list", one.strip()) for one in str(plain(row.get("listIds"))).split(",") if one.strip()
        )
    },
    "pipeline": _pipeline,
    "segment": _segment,
    "stage": lambda reader, row: {"group": reader.at("pipeline", row["group"]), "order": ""},
    "task_outcome": lambda reader, row: {
        "types": reader.joined("tasktypeOutcomeRels", "outcome_id", str(row["id"]), "tasktype_id", "task_type")
    },
    "user": lambda reader, row: {"groups": reader.joined("userGroups", "user", str(row["id"]), "group", "user_group")},
    "webhook": lambda reader, row: {
        "events": frozenset(plain(row.get("events") or [])),
        "sources": frozenset(plain(row.get("sources") or [])),
        "listid": reader.at("list", row.get("listid"), "0"),
    },
}  # fmt: skip


def _addresses(value: Any) -> frozenset[str]:
    """E-mail addresses with commas between (section 2.13)."""
    return frozenset(one.strip() for one in str(plain(value)).split(",") if one.strip())


def _number(value: Any) -> float:
    try:
        return float(plain(value) or 0)
    except ValueError:
        return 0


def things(dump: Dump) -> Things:
    """Return what an account holds."""
    return _Reader(dump).things()


def differences(here: Dump, there: Dump, pairing: Pairing, own: Dump) -> list[Difference]:
    """Return what `there` holds otherwise than `here`. What is not in the pairing is missing there; what `own`, the
    account before anything was written to it, held and still holds is not too much there.
    """
    mine, theirs, before = things(here), things(there), things(own)
    found: list[Difference] = []
    taken: dict[Key, Key] = {}
    for key, thing in mine.items():
        kind, identity = key
        other = (kind, pairing[key]) if key in pairing else None
        if other is None or other not in theirs:
            found.append(Difference(kind, identity, "", "there", "missing"))
            continue
        if other in taken:
            found.append(Difference(kind, identity, "", "an own one", f"the same as {taken[other][1]}"))
        taken[other] = key
        found += _within(key, thing, theirs[other], pairing)
    found += [
        Difference(kind, identity, "", "nothing", f"too much: {thing}")
        for (kind, identity), thing in theirs.items()
        if (kind, identity) not in taken and before.get((kind, identity)) != thing
    ]
    return found


def _within(key: Key, here: Thing, there: Thing, pairing: Pairing) -> Iterator[Difference]:
    for name in dict.fromkeys((*here, *there)):
        one, other = _there(here.get(name, ""), pairing), there.get(name, "")
        same = _agree(one, other) if isinstance(one, Ranked) and isinstance(other, Ranked) else one == other
        if not same:
            yield Difference(*key, name, str(here.get(name, "")), str(other))


def _there(value: Any, pairing: Pairing) -> Any:
    """Return a value with each thing as that of the other account; what is missing there stays what it is here."""
    if isinstance(value, At):
        other = pairing.get((value.kind, value.id))
        return At(value.kind, other) if other is not None else At(value.kind, f"{value.id} of the other account", True)
    if isinstance(value, Ranked):
        return Ranked(tuple((rank, _there(item, pairing)) for rank, item in value.items))
    if isinstance(value, frozenset):
        return frozenset(_there(one, pairing) for one in value)
    if isinstance(value, tuple):
        return tuple(_there(one, pairing) for one in value)
    if isinstance(value, list):
        return [_there(one, pairing) for one in value]
    if isinstance(value, dict):
        return {name: _there(one, pairing) for name, one in value.items()}
    return value


def _agree(one: Ranked, other: Ranked) -> bool:
    """Return whether both hold the same, in an order that the numbers of `one` allow. What is missing there is told of
    the thing itself.
    """
    mine = defaultdict(list)
    for rank, item in one.items:
        if not (isinstance(item, At) and item.dead):
            mine[rank].append(str(item))
    theirs = [str(item) for _, item in sorted(other.items, key=lambda pair: pair[0])]
    place = 0
    for rank in sorted(mine):
        run = theirs[place : place + len(mine[rank])]
        if sorted(run) != sorted(mine[rank]):
            return False
        place += len(run)
    return place == len(theirs)
