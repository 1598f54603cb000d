"""What a configuration means, said once more in the words of the API, and compared with the rows of the emulator.

Written from the vendor's documentation, not from the product's kinds: an oracle made from the code under test proves
nothing. Only what is declared is compared, for what is absent is unmanaged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Rows = Mapping[str, list[dict[str, Any]]]
EMPTY: tuple[Any, ...] = (None, "", [], {})


def same_text(wanted: Any, found: Any) -> bool:
    """Null, "" and absent are the same; flags and numbers arrive as texts or not."""
    if wanted in EMPTY or found in EMPTY:
        return wanted in EMPTY and found in EMPTY
    return _plain(wanted) == _plain(found)


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def same_flag(wanted: Any, found: Any) -> bool:
    """A flag is off when it is 0, false, null or absent."""
    return (str(found).lower() in ("1", "true")) is bool(wanted)


def same_fold(wanted: Any, found: Any) -> bool:
    """Texts whose case does not count."""
    return str(wanted).lower() == str(found).lower()


def same_commas(wanted: Any, found: Any) -> bool:
    """A list kept as one text."""
    return sorted(wanted or ()) == sorted(part for part in str(found or "").split(",") if part)


def same_set(wanted: Any, found: Any) -> bool:
    """A list whose order does not count."""
    return sorted(wanted or (), key=str) == sorted(found or (), key=str)


def same_list(wanted: Any, found: Any) -> bool:
    """A default that is one text or several."""
    if isinstance(wanted, list) and wanted:
        return bool(wanted == found)
    return same_text(wanted, found)


Same = Callable[[Any, Any], bool]
Properties = Mapping[str, tuple[str, Same]]
TAG: Properties = {
    "name": ("tag", same_text),
    "type": ("tagType", same_text),
    "description": ("description", same_text),
}
LIST: Properties = {
    "name": ("name", same_text),
    "string_id": ("stringid", same_text),
    "sender_url": ("sender_url", same_text),
    "sender_reminder": ("sender_reminder", same_text),
    "channel": ("channel", same_text),
    "send_last_broadcast": ("send_last_broadcast", same_flag),
    "carbon_copy": ("carboncopy", same_commas),
    "subscription_notify": ("subscription_notify", same_commas),
    "unsubscription_notify": ("unsubscription_notify", same_commas),
    "sender_name": ("sender_name", same_text),
    "sender_city": ("sender_city", same_text),
    "sender_zip": ("sender_zip", same_text),
}
FIELD: Properties = {
    "title": ("title", same_text),
    "type": ("type", lambda wanted, found: {"multiselect": "listbox"}.get(wanted, wanted) == found),
    "perstag": ("perstag", lambda wanted, found: re.sub(r"\W", "", wanted.upper()) == found),
    "description": ("descript", same_text),
    "default": ("defval", same_text),
    "visible": ("visible", same_flag),
    "required": ("isrequired", same_flag),
    "order": ("ordernum", same_text),
}
GROUP: Properties = {
    "label": ("label", same_text),
    "object": ("type_id", lambda wanted, found: {"contact": 1, "deal": 2, "account": 3}[wanted] == int(found)),
    "order": ("ordernum", same_text),
}
META: Properties = {
    "label": ("fieldLabel", same_text),
    "type": ("fieldType", same_text),
    "options": ("fieldOptions", lambda wanted, found: list(wanted) == list(found or ())),
    "default": ("fieldDefault", same_list),
    "default_currency": ("fieldDefaultCurrency", same_fold),
    "form_visible": ("isFormVisible", same_flag),
    "required": ("isRequired", same_flag),
    "order": ("displayOrder", same_text),
}
PIPELINE: Properties = {
    "title": ("title", same_text),
    "currency": ("currency", same_fold),
    "all_user_groups": ("allgroups", same_flag),
    "all_users": ("allusers", same_flag),
    "auto_assign": (
        "autoassign",
        lambda wanted, found: {"off": "0", "round_robin": "1", "deal_value": "2"}[wanted] == str(found),
    ),
}
STAGE: Properties = {
    "title": ("title", same_text),
    "color": ("color", same_fold),
    "width": ("width", same_text),
    "card_region_3": ("cardRegion3", same_text),
}
WEBHOOK: Properties = {
    "name": ("name", same_text),
    "url": ("url", same_text),
    "events": ("events", same_set),
    "sources": ("sources", same_set),
}


@dataclass
class Comparison:
    """What differs between a configuration and the rows of the account. `beside` are the ids that nobody manages."""

    config: Mapping[str, Any]
    rows: Rows
    beside: Mapping[str, set[str]]
    problems: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        lists = self._objects("lists", "lists", LIST, "name")
        groups = self._objects("field_groups", "groupDefinitions", GROUP, "label")
        self._objects("tags", "tags", TAG, "name", "type")
        self._lists(lists)
        self._fields(lists, groups)
        for section, table, kind in (
            ("deal_fields", "dealCustomFieldMeta", 2),
            ("account_fields", "accountCustomFieldMeta", 3),
        ):
            self._membership(section, self._objects(section, table, META, "label", "type"), groups, kind)
        self._pipelines()
        self._webhooks(lists)
        self._schemas()
        return self.problems

    def _mine(self, table: str) -> list[dict[str, Any]]:
        return [row for row in self.rows.get(table, ()) if str(row["id"]) not in self.beside.get(table, ())]

    def _objects(self, section: str, table: str, properties: Properties, *names: str) -> dict[str, Row]:
        """Pair declared objects with rows by their names, and compare; returns the rows by key."""
        declared = self.config.get(section, {})
        return self._pair(section, declared, self._mine(table), properties, names)

    def _pair(
        self,
        where: str,
        declared: Mapping[str, Any],
        rows: Iterable[Row],
        properties: Properties,
        names: Iterable[str],
    ) -> dict[str, Row]:
        left, found = list(rows), {}
        for key, entry in declared.items():
            fits = [
                row
                for row in left
                if all(
                    properties[name][1](entry[name], row.get(properties[name][0])) for name in names if name in entry
                )
            ]
            if len(fits) != 1:
                self.problems.append(f"{where}.{key}: {len(fits)} rows for it")
                if not fits:
                    continue
            left.remove(fits[0])
            found[key] = fits[0]
            for name, (api, same) in properties.items():
                if name in entry and not same(entry[name], fits[0].get(api)):
                    self.problems.append(f"{where}.{key}.{name}: wanted {entry[name]!r}, found {fits[0].get(api)!r}")
        self.problems += [f"{where}: a row that nobody declares: {_short(row)}" for row in left]
        return found

    def _expect(self, where: str, wanted: Any, found: Any) -> None:
        if wanted != found:
            self.problems.append(f"{where}: wanted {wanted!r}, found {found!r}")

    def _lists(self, lists: Mapping[str, Row]) -> None:
        group_ids = {row["title"]: row["id"] for row in self.rows["groups"]}
        for key, row in lists.items():
            entry = self.config["lists"][key]
            joined = [str(one["group"]) for one in self.rows.get("listGroups", ()) if str(one["list"]) == row["id"]]
            if "user_groups" in entry:
                wanted = [group_ids[one["name"]] if "name" in one else one["id"] for one in entry["user_groups"]]
                self._expect(f"lists.{key}.user_groups", sorted(wanted), sorted(joined))
            elif not joined or len(set(joined)) != len(joined):
                self.problems.append(f"lists.{key}: its list groups are {joined}")
            if "user" in entry and "1" not in (str(row.get("user")), str(row.get("userid"))):
                self.problems.append(f"lists.{key}.user: {row.get('user')!r}, {row.get('userid')!r}")
        living = {str(row["id"]) for row in self.rows.get("lists", ())}
        stray = [one for one in self.rows.get("listGroups", ()) if str(one["list"]) not in living]
        self.problems += [f"a list group of a list that is gone: {one}" for one in stray]

    def _fields(self, lists: Mapping[str, Row], groups: Mapping[str, Row]) -> None:
        fields = self._objects("fields", "fields", FIELD, "title")
        for key, row in fields.items():
            entry = self.config["fields"][key]
            related = [str(one["relid"]) for one in self.rows.get("fieldRels", ()) if str(one["field"]) == row["id"]]
            wanted = entry.get("lists")
            if isinstance(wanted, list):
                ids = sorted(lists[one]["id"] for one in wanted if one in lists)
                self._expect(f"fields.{key}.lists", ids, sorted(related))
            elif wanted == "all":
                self._expect(f"fields.{key}.lists", ["0"], related)
            elif not related or len(set(related)) != len(related):
                self.problems.append(f"fields.{key}: its relations are {related}")
            if "options" in entry:
                self._expect(f"fields.{key}.options", [_option(one) for one in entry["options"]], self._options(row))
        self._membership("fields", fields, groups, 1, default=False)

    def _options(self, field_row: Row) -> list[tuple[str, str, bool]]:
        mine = [row for row in self.rows.get("fieldOptions", ()) if str(row["field"]) == field_row["id"]]
        mine.sort(key=lambda row: (int(row["orderid"]), int(row["id"])))
        return [(row["value"], row["label"], str(row["isdefault"]) == "1") for row in mine]

    def _membership(
        self, section: str, fields: Mapping[str, Row], groups: Mapping[str, Row], kind: int, *, default: bool = True
    ) -> None:
        typed = {int(row["id"]) for row in self.rows["groupDefinitions"] if int(row["type_id"]) == kind}
        for key, row in fields.items():
            entry = self.config[section][key]
            members = [
                one["group_id"]
                for one in self.rows.get("groupMembers", ())
                if str(one["rel_id"]) == str(row["id"]) and one["group_id"] in typed
            ]
            if entry.get("group") is not None and entry["group"] in groups:
                self._expect(f"{section}.{key}.group", [int(groups[entry["group"]]["id"])], members)
            elif "group" not in entry and (len(members) > 1 or (default and not members)):
                self.problems.append(f"{section}.{key}: it is in the groups {members}")

    def _pipelines(self) -> None:
        pipelines = self._objects("pipelines", "dealGroups", PIPELINE, "title")
        group_ids = {row["title"]: row["id"] for row in self.rows["groups"]}
        for key, row in pipelines.items():
            entry = self.config["pipelines"][key]
            stages = [one for one in self.rows.get("dealStages", ()) if str(one["group"]) == row["id"]]
            if "stages" in entry:
                found = self._pair(f"pipelines.{key}.stages", entry["stages"], stages, STAGE, ["title"])
                board = sorted(found, key=lambda one: int(found[one]["order"]))
                self._expect(f"pipelines.{key}: the order of its stages", list(entry["stages"]), board)
                orders = [int(one["order"]) for one in found.values()]
                if len(set(orders)) != len(orders):
                    self.problems.append(f"pipelines.{key}: stages share an order: {orders}")
            for name, table, member in (
                ("users", "dealGroupUsers", "user"),
                ("user_groups", "dealGroupGroups", "group"),
            ):
                if name not in entry:
                    continue
                wanted = [
                    "1" if isinstance(one, str) else one["id"] if "id" in one else group_ids[one["name"]]
                    for one in entry[name]
                ]
                rows = [str(one[member]) for one in self.rows.get(table, ()) if str(one["dealGroup"]) == row["id"]]
                self._expect(f"pipelines.{key}.{name}", sorted(wanted), sorted(rows))

    def _webhooks(self, lists: Mapping[str, Row]) -> None:
        for key, row in self._objects("webhooks", "webhooks", WEBHOOK, "name", "url").items():
            entry = self.config["webhooks"][key]
            if "list" in entry:
                wanted = lists[entry["list"]]["id"] if entry["list"] in lists else "0"
                self._expect(f"webhooks.{key}.list", wanted, str(row.get("listid") or "0"))

    def _schemas(self) -> None:
        slugs: Properties = {"slug": ("slug", same_text), "description": ("description", same_text)}
        for key, row in self._objects("custom_objects", "schemas", slugs, "slug").items():
            entry = self.config["custom_objects"][key]
            where = f"custom_objects.{key}"
            self._expect(f"{where}.labels", entry["labels"], row["labels"])
            live = {one["id"]: one for one in row["fields"] if one.get("status") != "marked_for_deletion"}
            if "fields" in entry:
                self._expect(f"{where}.fields", sorted(entry["fields"]), sorted(live))
                for name, part in entry["fields"].items():
                    self._part(f"{where}.fields.{name}", part, live.get(name, {}))
            ties = {one["id"]: one for one in row["relationships"]}
            for name, part in (entry.get("relationships") or {}).items():
                self._expect(f"{where}.relationships.{name}", part["labels"], ties.get(name, {}).get("labels"))

    def _part(self, where: str, part: Mapping[str, Any], row: Row) -> None:
        self._expect(f"{where}.labels", part["labels"], row.get("labels"))
        self._expect(f"{where}.type", part["type"], row.get("type"))
        if "required" in part:
            self._expect(f"{where}.required", part["required"], bool(row.get("required")))
        if "description" in part and not same_text(part["description"], row.get("description")):
            self.problems.append(f"{where}.description: {row.get('description')!r}")
        if "options" in part:
            self._expect(f"{where}.options", part["options"], [one["value"] for one in row.get("options") or ()])
        if "default_currency" in part:
            self._expect(f"{where}.default_currency", part["default_currency"].upper(), row.get("defaultCurrency"))


def _option(option: Any) -> tuple[str, str, bool]:
    entry = {"value": option} if isinstance(option, str) else option
    return entry["value"], entry.get("label") or entry["value"], bool(entry.get("default"))


def _short(row: Row) -> str:
    return str({name: value for name, value in row.items() if value not in EMPTY})[:300]


def differences(config: Mapping[str, Any], rows: Rows, beside: Mapping[str, set[str]]) -> list[str]:
    """Return every difference between what is declared and what the account holds, one line each."""
    return Comparison(config, rows, beside).run()
