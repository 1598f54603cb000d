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
    "yes", "3.10", "null", "~", "-",
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
                        "orderid": chance.choice([1, 1, 2, 7]),
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


MESSES: tuple[Mess, ...] = (tags, lists, fields, grouped, pipelines, tasks, webhooks, texts, dead, shaped)


def account(number: int) -> Seed:
    """Return the seed of one account; the same number gives the same account."""
    chance = Random(number)
    ids = itertools.count(900_001)
    found: Seed = {}
    for mess in chance.sample(MESSES, chance.randint(2, len(MESSES))):
        for path, rows in mess(chance, ids).items():
            found.setdefault(path, []).extend(rows)
    return found


def shown(seed: Mapping[str, Any]) -> str:
    """Return a seed as one can paste it into a file."""
    return json.dumps(seed, indent=1)
