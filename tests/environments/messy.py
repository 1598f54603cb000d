"""Accounts that nobody prepared: rows as years of people, integrations and older versions of the product leave them.

A generator of mess is a function from a source of chance to a seed (paths of the API -> rows), listed in `MESSES`.
`account` mixes them. Rows with the same id as others would replace them, so each generator draws ids of its own.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from tests.environments.references import DEAD, GONE
from tests.environments.shapes import LOSSLESS, LOSSY, NESTED

Seed = dict[str, list[dict[str, Any]]]
Ids = Iterator[int]
Mess = Callable[[Random, Ids], Seed]
NAMES = (
    "VIP", "vip", "Vip ", " VIP", "Caf\u00e9", "Cafe\u0301", "a&amp;b", "a&b", "50% off \U0001f389",
    "yes", "3.10", "null", "~", "-", "0", "false",
    "# no comment", "a: b", "- x", "${var.x}", "%TAG%", "two\nlines", "a\u00a0b", "\u200b",
    "\u2028c", "'", '"', "\\", "{x}", "[y]",
    "\u65e5\u672c", "\u0130stanbul", "stra\u00dfe", "STRASSE",
    "x" * 120, "1_000", "0x1F", "1e3", "2024-01-01", "12:30:45", "<<", "=", "@x",
)  # fmt: skip
ALMOST: tuple[Callable[[str], str], ...] = (
    str.lower, str.upper, str.strip, lambda one: f"{one} ", lambda one: unicodedata.normalize("NFD", one),
    lambda one: unicodedata.normalize("NFC", one), lambda one: one.replace("&", "&amp;"), str,
)  # fmt: skip
"""What makes a near twin of a name."""


def name(chance: Random) -> str:
    """Return a name as people type them, now and then a near twin of one."""
    return chance.choice(ALMOST)(chance.choice(NAMES))


def names(chance: Random, most: int) -> list[str]:
    """Return a few names, none of them twice."""
    return list(dict.fromkeys(name(chance) for _ in range(chance.randint(0, most))))


def tags(chance: Random, ids: Ids) -> Seed:
    """Near twins and descriptions; an account keeps no two tags of one name (section 2.12)."""
    return {
        "tags": [
            {"id": str(next(ids)), "tag": one, "description": chance.choice(["", one])} for one in names(chance, 6)
        ]
    }


def lists(chance: Random, ids: Ids) -> Seed:
    """Lists without a name, of one name, of owners that left, seen by groups that are gone or by nobody."""
    rows: list[dict[str, Any]] = []
    groups = []
    for _ in range(chance.randint(0, 3)):
        identity = str(next(ids))
        owner = chance.choice([None, "0", "1", GONE])
        rows.append(
            {
                "id": identity,
                "name": chance.choice(["", name(chance), "News"]),
                "stringid": f"l{identity}",
                "sender_url": chance.choice(["", "https://x.example"]),
                "sender_reminder": chance.choice(["", "You asked."]),
                "carboncopy": chance.choice(["", "a@acme.example, b@acme.example"]),
                **({} if owner is None else {"user": owner, "userid": owner}),
            }
        )
        groups += [
            {"id": str(next(ids)), "list": identity, "group": group}
            for group in chance.sample(["3", GONE], chance.randint(0, 2))
        ]
    return {"lists": rows, "listGroups": groups}


def fields(chance: Random, ids: Ids) -> Seed:
    """Fields on lists that are gone, on none, with tied and foreign options, of types that nobody documented."""
    return {
        "fields": [
            {
                "id": str(identity := next(ids)),
                "title": chance.choice([one, one, f"{one} {identity}"]),
                "perstag": f"F{identity}",
                "type": chance.choice(["text", "dropdown", "listbox", "datetime", "hologram"]),
                "visible": chance.choice(["0", "1"]),
                "isrequired": chance.choice(["0", "1", "2"]),
                "options": [
                    {
                        "value": value,
                        "label": chance.choice([value, "", "Other"]),
                        "orderid": chance.choice([0, 1, 1, 2, 7]),
                    }
                    for value in names(chance, 3)
                ],
                "relids": chance.sample(["0", GONE, "8888"], chance.randint(0, 2)),
            }
            for one in names(chance, 3)
        ]
    }


def pipelines(chance: Random, ids: Ids) -> Seed:
    """Boards of one title, with twins and members that left; stages of one order, and of boards that are gone."""
    found: Seed = {"dealGroups": [], "dealStages": [], "dealGroupUsers": [], "dealGroupGroups": []}
    for _ in range(chance.randint(0, 2)):
        identity = str(next(ids))
        found["dealGroups"].append(
            {
                "id": identity,
                "title": chance.choice(["Sales", name(chance)]),
                "currency": chance.choice(["usd", "EUR", "zzz"]),
                "autoassign": chance.choice(["0", "1", "2", "9"]),
            }
        )
        found["dealStages"] += [
            {
                "id": str(next(ids)),
                "title": chance.choice(["A", one]),
                "group": identity,
                "order": str(place if spread else 1),
            }
            for spread in (chance.random() < 0.7,)
            for place, one in enumerate(names(chance, 4), chance.randint(0, 3))
        ]
        if chance.random() < 0.4:
            found["dealGroupUsers"].append({"id": str(next(ids)), "dealGroup": identity, "user": GONE})
        if chance.random() < 0.4:
            found["dealGroupGroups"].append({"id": str(next(ids)), "dealGroup": identity, "group": GONE})
    found["dealStages"].append({"id": str(next(ids)), "title": "Orphan", "group": GONE, "order": "1"})
    return found


def grouped(chance: Random, ids: Ids) -> Seed:
    """Fields of each kind in no group, in one, in two, and in one that is gone."""
    found: Seed = {"groupDefinitions": [], "groupMembers": [], "fields": []}
    found |= {"dealCustomFieldMeta": [], "accountCustomFieldMeta": []}
    for kind, path in enumerate(("fields", "dealCustomFieldMeta", "accountCustomFieldMeta"), 1):
        groups = [next(ids) for _ in range(chance.randint(1, 3))]
        found["groupDefinitions"] += [{"id": n, "label": f"G{n}", "type_id": kind, "ordernum": 1} for n in groups]
        for _ in range(chance.randint(0, 2)):
            n = next(ids)
            row = {"title": f"In groups {n}", "perstag": f"G{n}"} if kind == 1 else {"fieldLabel": f"In groups {n}"}
            found[path].append({"id": str(n), **row, ("type" if kind == 1 else "fieldType"): "text"})
            found["groupMembers"] += [
                {"id": next(ids), "group_id": group, "rel_id": n, "ordernum": chance.choice([1, 1, 5])}
                for group in chance.sample([*groups, int(GONE)], chance.randint(0, min(2, len(groups))))
            ]
    return found


def tasks(chance: Random, ids: Ids) -> Seed:
    """Disabled types, and outcomes for types that are gone."""
    types = [{"id": str(next(ids)), "title": one, "status": chance.choice(["0", "1"])} for one in names(chance, 3)]
    outcome = str(next(ids))
    kinds = [*(one["id"] for one in types), GONE]
    return {
        "dealTasktypes": types,
        "taskOutcomes": [{"id": outcome, "title": name(chance), "sentiment": chance.choice(["POSITIVE", "NEUTRAL"])}],
        "tasktypeOutcomeRels": [
            {"id": str(next(ids)), "tasktype_id": kind, "outcome_id": outcome}
            for kind in chance.sample(kinds, chance.randint(0, len(kinds)))
        ],
    }


def webhooks(chance: Random, ids: Ids) -> Seed:
    """Deaf ones, doubled ones, of lists that are gone."""
    return {
        "webhooks": [
            {
                "id": str(identity := next(ids)),
                "name": one,
                "url": f"https://h{identity}.example/{chance.choice(['', 'a?x=1', 'c/d#e'])}",
                "events": chance.choice([[], ["subscribe"], ["subscribe", "unsubscribe"]]),
                "sources": chance.choice([["public"], ["admin", "public"], []]),
                "listid": chance.choice(["0", GONE, ""]),
            }
            for one in names(chance, 3)
        ]
    }


def texts(chance: Random, ids: Ids) -> Seed:
    """Variables, replies and addresses with what mails hold."""
    return {
        "personalizations": [
            {"id": str(n := next(ids)), "tag": f"t{n}", "name": name(chance), "format": "text", "content": name(chance),
             "listIds": chance.choice(["", GONE, f"{GONE},8888"])}
            for _ in range(chance.randint(0, 2))
        ],
        "savedResponses": [
            {"id": str(next(ids)), "title": one, "subject": chance.choice(["", one]),
             "body": chance.choice(["", "<p>x</p>"])}
            for one in names(chance, 2)
        ],
    }  # fmt: skip


def dead(chance: Random, ids: Ids) -> Seed:
    """One of the accounts whose reference is dead."""
    return {path: [dict(row) for row in rows] for path, rows in chance.choice(list(DEAD.values())).items()}


def shaped(chance: Random, ids: Ids) -> Seed:
    """A segment, and something else with parts of another form."""
    other = chance.choice(list(NESTED.values()))[1]
    segment = chance.choice([*LOSSLESS.values(), *LOSSY.values()])
    return {"segmentsV2": [dict(segment)], **{path: [dict(row) for row in rows] for path, rows in other.items()}}


def _schema(n: int, one: str, chance: Random) -> dict[str, Any]:
    fields = [
        {"id": f"f{place}", "type": "dropdown", "labels": {"singular": label, "plural": label},
         "options": [{"id": str(place), "value": label}], **chance.choice([{}, {"placeholder": "x"}])}
        for place, label in enumerate(names(chance, 2))
    ]  # fmt: skip
    labels = {"singular": one, "plural": one}
    return {"id": f"s{n}", "slug": f"o{n}", "labels": labels, "fields": fields, "description": one}


def _segment(n: int, one: str, chance: Random) -> dict[str, Any]:
    row = chance.choice([*LOSSLESS.values(), *LOSSY.values()])
    groups = mapped(chance, row["segment_condition_groups"])
    return {**row, "id": f"g{n}", "segment_id": f"g{n}", "name": one, "segment_condition_groups": groups}


def mapped(chance: Random, items: list[Any]) -> Any:
    """Return a list, now and then as PHP writes one with holes (row 53 of section 7 of the API page)."""
    return {str(2 * place): one for place, one in enumerate(items)} if items and chance.random() < 0.2 else items


PLAIN: Mapping[str, tuple[str, bool, Callable[[int, str, Random], dict[str, Any]]]] = {
    "account_field": ("accountCustomFieldMeta", True, lambda n, one, chance: {
        "fieldLabel": one, "fieldType": chance.choice(["text", "dropdown", "hologram"]),
        "fieldOptions": mapped(chance, [one, "b", *chance.choice([[], ["b"]])]),
        "displayOrder": chance.choice([0, 1, 1, 3]), "isRequired": chance.choice([0, 1])}),
    "address": ("addresses", True, lambda n, one, chance: {
        "companyName": one, "address1": "Main St 1", "country": chance.choice(["US", "us", "3", ""]),
        "zip": chance.choice(["", "123"]), "isDefault": "0"}),
    "calendar": ("calendars", True, lambda n, one, chance: {
        "title": one, "type": chance.choice(["All", "Deals", "Other"]), "notification": chance.choice(["0", "1"])}),
    "connection": ("connections", False, lambda n, one, chance: {
        "service": chance.choice(["shop", ""]), "externalid": f"e{n}", "name": one,
        "logoUrl": chance.choice(["", "https://l.example/a"]), "linkUrl": "https://l.example/b",
        "status": chance.choice(["0", "1"])}),
    "custom_object": ("schemas", False, _schema),
    "deal_field": ("dealCustomFieldMeta", True, lambda n, one, chance: {
        "fieldLabel": one, "fieldType": chance.choice(["text", "multiselect", "currency"]),
        "fieldOptions": mapped(chance, [one, one.upper()]), "fieldDefault": chance.choice([None, one, [one]]),
        "fieldDefaultCurrency": chance.choice([None, "usd"]), "displayOrder": chance.choice([0, 1, 1, 3])}),
    "deal_role": ("dealRoles", True, lambda n, one, chance: {"title": one}),
    "field": ("fields", False, lambda n, one, chance: {
        "title": one, "perstag": f"F{n}", "type": "text", "relids": ["0"],
        "ordernum": chance.choice(["0", "1", "2", "2"]),
        "defval": chance.choice([None, one]), "descript": chance.choice([None, "", one])}),
    "field_group": ("groupDefinitions", True, lambda n, one, chance: {
        "label": one, "type_id": chance.choice([1, 2, 3]), "ordernum": chance.choice([0, 1, 1, 4])}),
    "list": ("lists", True, lambda n, one, chance: {
        "name": one, "stringid": f"l{n}", "sender_url": "https://x.example", "sender_reminder": "r",
        "channel": chance.choice(["email", "sms"]), "subscription_notify": chance.choice(["", "a@acme.example"])}),
    "message": ("messages", True, lambda n, one, chance: {"name": one, "subject": one, "fromemail": "a@acme.example"}),
    "personalization": ("personalizations", True, lambda n, one, chance: {
        "tag": one, "name": chance.choice([one, ""]), "format": chance.choice(["text", "html"]), "content": one,
        "isLocked": chance.choice([False, False, True])}),
    "pipeline": ("dealGroups", True, lambda n, one, chance: {
        "title": one, "currency": chance.choice(["usd", "EUR", ""]), "allusers": chance.choice(["0", "1"])}),
    "saved_response": ("savedResponses", True, lambda n, one, chance: {"title": one, "subject": one, "body": "x"}),
    "segment": ("segmentsV2", True, _segment),
    "site_domain": ("urlWhitelistings", False, lambda n, one, chance: {
        "whitelisted_domain": chance.choice([f"d{n}.example", f"D{n}.example"]),
        "whitelisted_page": chance.choice(["*", "/x"]), "tracking_enabled": chance.choice([True, 1]),
        "conversations_enabled": chance.choice([True, False]), "wp_enabled": False}),
    "stage": ("dealStages", True, lambda n, one, chance: {
        "title": one, "group": "", "order": chance.choice(["0", "1", "2", "2"]),
        "color": chance.choice(["3f3f3f", "18D499", "#abc"])}),
    "tag": ("tags", False, lambda n, one, chance: {
        "tag": one, "tagType": chance.choice(["contact", "template", ""]), "description": chance.choice(["", one])}),
    "task_outcome": ("taskOutcomes", True, lambda n, one, chance: {
        "title": one, "sentiment": chance.choice(["POSITIVE", "NEGATIVE", "", "MEH"]),
        "disabled": chance.choice(["0", "1"])}),
    "task_type": ("dealTasktypes", True, lambda n, one, chance: {
        "title": one, "status": chance.choice(["0", "0", "1"])}),
    "tracked_event": ("eventTrackingEvents", False, lambda n, one, chance: {"name": one}),
    "user": ("users", False, lambda n, one, chance: {
        "username": f"u{n}", "email": f"u{n}@acme.example", "firstName": one, "lastName": ""}),
    "user_group": ("groups", True, lambda n, one, chance: {
        "title": one, "descript": chance.choice([None, one]), "pgDeal": chance.choice(["0", "1"])}),
    "webhook": ("webhooks", True, lambda n, one, chance: {
        "name": one, "url": chance.choice(["https://h.example/same", f"https://h{n}.example/a"]),
        "events": mapped(chance, ["subscribe", "unsubscribe"]), "sources": mapped(chance, ["admin", "public"]),
        "listid": "0"}),
}  # fmt: skip
"""By kind: its path, whether an account may hold two of one name, and a row of it under a name."""


def everything(chance: Random, ids: Ids) -> Seed:
    """A few kinds, of each one name, its twin, near twins of it, or none."""
    found: Seed = {}
    for kind in chance.sample(list(PLAIN), 6):
        path, twins, row = PLAIN[kind]
        one = chance.choice(NAMES)
        given = [one, *(chance.choice([*(near(one) for near in ALMOST), "", one]) for _ in range(chance.randint(0, 3)))]
        if kind == "tracked_event":  # its name is its id
            given = [each for each in given if each and each.isprintable()]
        for each in given if twins else dict.fromkeys(given):
            n = next(ids)
            found.setdefault(path, []).append({"id": str(n), **row(n, each, chance)})
    if found.get("addresses"):
        chance.choice(found["addresses"])["isDefault"] = "1"  # there is one (section 2.20)
    return found


def singles(chance: Random, ids: Ids) -> Seed:
    """What every account has one of, and what came with it, as somebody left it."""
    return {
        "siteTracking": [{"id": "1", "enabled": chance.choice([True, False])}],
        "eventTracking": [{"id": "1", "enabled": chance.choice([True, False])}],
        "brandings": [
            {"id": "1", "siteName": name(chance), "footerTextValue": chance.choice(["", name(chance)]),
             **{flag: chance.choice(["0", "1"]) for flag in ("links", "help", "copyright")}}
        ],
        "dealTasktypes": [{"id": "1", "title": chance.choice(["Call", "Ring"]), "status": chance.choice(["0", "1"])}],
        "dealRoles": [{"id": "1", "title": chance.choice(["Decision Maker", name(chance)])}],
    }  # fmt: skip


RELATIONS: tuple[tuple[str, str, str], ...] = (
    ("lists", "user", "users"), ("webhooks", "listid", "lists"), ("connections", "listId", "lists"),
    ("personalizations", "listIds", "lists"), ("dealStages", "group", "dealGroups"),
)  # fmt: skip
"""Path, property, and the path of what it refers to."""
JOINS: tuple[tuple[str, str, str, str, str], ...] = (
    ("listGroups", "list", "lists", "group", "groups"), ("dealGroupUsers", "dealGroup", "dealGroups", "user", "users"),
    ("dealGroupGroups", "dealGroup", "dealGroups", "group", "groups"),
    ("fieldRels", "field", "fields", "relid", "lists"),
    ("tasktypeOutcomeRels", "outcome_id", "taskOutcomes", "tasktype_id", "dealTasktypes"),
    ("addressGroups", "address", "addresses", "group", "groups"), ("userGroups", "user", "users", "group", "groups"),
)  # fmt: skip
"""Path of the relations, and by which property to which path on either side."""
OWN: Mapping[str, list[str]] = {
    "users": ["1"],
    "groups": ["3"],
    "dealTasktypes": ["1", "2"],
    "lists": [],
    "dealGroups": [],
}
"""Ids that every account has."""


def related(chance: Random, ids: Ids, found: Seed) -> None:
    """Let things refer to each other, whatever state those are in."""

    def some(path: str) -> list[str]:
        return [*OWN.get(path, ()), *(str(row["id"]) for row in found.get(path, ()) if "id" in row)]

    for path, prop, other in RELATIONS:
        for row in found.get(path, ()):
            owners = [one for one in some(other) if one != str(row.get("id"))]
            if owners and (row.get(prop) == "" or chance.random() < 0.4):
                row[prop] = chance.choice(owners)
                if prop == "user":
                    row["userid"] = row[prop]
    for path, mine, one, theirs, other in JOINS:
        for row in found.get(one, ()):
            for there in chance.sample(some(other), chance.randint(0, min(2, len(some(other))))) if "id" in row else ():
                if chance.random() < 0.5:
                    twins = {"addressid": row["id"], "groupid": there} if path == "addressGroups" else {}
                    found.setdefault(path, []).append(
                        {"id": str(next(ids)), mine: str(row["id"]), theirs: there, **twins}
                    )
    members(chance, ids, found)
    mentions(chance, found, some)


def members(chance: Random, ids: Ids, found: Seed) -> None:
    """Put fields of each kind into groups, into those that they are in already too."""
    for kind, path in enumerate(("fields", "dealCustomFieldMeta", "accountCustomFieldMeta"), 1):
        groups = [str(kind), *(row["id"] for row in found.get("groupDefinitions", ()) if row["type_id"] == kind)]
        for row in found.get(path, ()):
            if "id" in row and chance.random() < 0.5:
                found.setdefault("groupMembers", []).append(
                    {"id": next(ids), "group_id": int(chance.choice(groups)), "rel_id": int(row["id"]),
                     "ordernum": chance.choice([0, 1, 2, 2, 9])}
                )  # fmt: skip


def mentions(chance: Random, found: Seed, some: Callable[[str], list[str]]) -> None:
    """Let texts and conditions name things by their ids."""
    lists_, tags_ = some("lists"), some("tags")
    for path, prop in (("savedResponses", "body"), ("personalizations", "content"), ("connections", "linkUrl")):
        for row in found.get(path, ()):
            if lists_ and chance.random() < 0.2:
                row[prop] = f"https://x.example/?list={chance.choice(lists_)}"
    for row in found.get("segmentsV2", ()):
        test = {"name": "tagid", "operator": "=", "value": chance.choice(tags_ or [GONE]), "data_type": "string"}
        if chance.random() < 0.5 and row["segment_conditions"]:
            row["segment_conditions"] = [
                {**row["segment_conditions"][0], "fields": [test]},
                *row["segment_conditions"][1:],
            ]


MESSES: tuple[Mess, ...] = (
    tags, lists, fields, grouped, pipelines, tasks, webhooks, texts, dead, shaped, everything, everything, singles,
)  # fmt: skip


def alone(found: Seed) -> Seed:
    """Return a seed with each field in the first of its groups alone, as an account has it that takes no second
    membership (row 57 of section 7).
    """
    types = {str(row["id"]): row["type_id"] for row in found.get("groupDefinitions", ())} | {"1": 1, "2": 2, "3": 3}
    first: dict[tuple[Any, Any], dict[str, Any]] = {}
    for row in found.get("groupMembers", ()):
        first.setdefault((types.get(str(row["group_id"])), row["rel_id"]), row)
    return {**found, "groupMembers": list(first.values())} if first else found


def account(number: int) -> Seed:
    """Return the seed of one account; the same number gives the same account."""
    chance = Random(number)
    ids = itertools.count(900_001)
    found: Seed = {}
    for mess in chance.sample(MESSES, chance.randint(2, len(MESSES))):
        for path, rows in mess(chance, ids).items():
            found.setdefault(path, []).extend(rows)
    for row in found.get("addresses", [])[::-1]:
        if any(other is not row and other["isDefault"] == "1" for other in found["addresses"]):
            row["isDefault"] = "0"  # there is one (section 2.20)
    related(chance, ids, found)
    return found


def shown(seed: Mapping[str, Any]) -> str:
    """Return a seed as one can paste it into a file."""
    return json.dumps(seed, indent=1)
