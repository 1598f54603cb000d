"""Random configurations of every kind, out of one random generator: small, and full of what holds customer records."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

Config = dict[str, dict[str, Any]]
KEYS = ("a", "b", "c")
CHOICES = ("Free", "Pro", "Team", "Gold")
LIST = {"sender_url": "https://a.example", "sender_reminder": "You signed up."}


class Declaring:
    """Makes and changes configurations. Names are never used twice, so that two objects of one name are twins."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._number = 0

    def name(self, what: str) -> str:
        """Return a name that nothing has had yet, with no likeness to others of its kind."""
        self._number += 1
        word = "".join(self.chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
        return f"{word}{self._number} {what}"

    def config(self) -> Config:
        """Return a configuration with some sections."""
        found: Config = {}
        rich = self.chance.sample(RICH, self.chance.randint(1, 3))
        for section in [*rich, *self.chance.sample(sorted(set(SECTIONS) - set(RICH)), self.chance.randint(0, 2))]:
            for key in self.chance.sample(KEYS, self.chance.randint(1, 3)):
                found.setdefault(section, {})[key] = SECTIONS[section](self, found)
        if self.chance.random() < 0.15:
            found["settings"] = {"branding": {"site_name": self.name("site")}}
        return found

    def small(self) -> Config:
        """Return a configuration of a few objects of one or two kinds."""
        found: Config = {}
        for section in self.chance.sample(RICH, self.chance.randint(1, 2)):
            for key in self.chance.sample(KEYS, self.chance.randint(1, 3)):
                found.setdefault(section, {})[key] = SECTIONS[section](self, found)
        return found

    def change(self, config: Config) -> Config:
        """Return the configuration after one edit: something removed, added or changed."""
        made = copy.deepcopy(config)
        places = [(section, key) for section in made for key in made[section]]
        what = self.chance.choice(["remove", "remove", "remove", "add", "change", "part", "part"])
        if what == "add" or not places:
            section = self.chance.choice(sorted(SECTIONS))
            free = [key for key in KEYS if key not in made.get(section, {})]
            if free:
                made.setdefault(section, {})[self.chance.choice(free)] = SECTIONS[section](self, made)
            return made
        section, key = self.chance.choice(places)
        if section == "settings":
            del made[section]
            return made
        if what == "remove":
            del made[section][key]
            return _closed(made)
        entry = made[section][key]
        if what == "part" and self._part(entry):
            return made
        again = SECTIONS[section](self, made)
        for name in self.chance.sample(sorted(again), min(2, len(again))):
            if name not in FIXED and not isinstance(again[name], dict):
                entry[name] = again[name]
        return _closed(made)

    def _part(self, entry: dict[str, Any]) -> bool:
        """Take a part out of an object, or put one in."""
        for name in ("stages", "fields"):
            parts = entry.get(name)
            if isinstance(parts, dict) and name == "stages":
                if len(parts) > 1 and self.chance.random() < 0.6:
                    del parts[self.chance.choice(sorted(parts))]
                    _refuges(parts)
                else:
                    parts[f"s{self._number}"] = {"title": self.name("stage")}
                return True
            if isinstance(parts, dict) and len(parts) > 1:
                del parts[self.chance.choice(sorted(parts))]
                return True
        options = entry.get("options")
        if isinstance(options, list) and len(options) > 1:
            options.remove(self.chance.choice(options))
            return True
        return False


FIXED = ("slug", "type", "email", "object", "service", "external_id", "fields", "relationships", "currency", "username")
"""What cannot be changed, or only by hand."""


def _refuges(stages: dict[str, Any]) -> None:
    """Forget refuges that are gone."""
    for stage in stages.values():
        to = stage.get("lifecycle", {}).get("on_destroy", {}).get("move_deals_to")
        if to is not None and to not in stages:
            del stage["lifecycle"]


def _grouped(config: Config) -> None:
    """Drop fields that are gone from their groups, where an export has listed them."""
    for entry in config.get("field_groups", {}).values():
        held = config.get("fields" if entry["object"] == "contact" else f"{entry['object']}_fields", ())
        if "fields" in entry:
            entry["fields"] = [one for one in entry["fields"] if not isinstance(one, str) or one in held]


def _closed(config: Config) -> Config:
    """Drop references to what is not declared any more."""
    for section, entries in config.items():
        for entry in entries.values():
            if entry.get("list") not in (None, *config.get("lists", ())):
                del entry["list"]
            if entry.get("group") not in (None, *config.get("field_groups", ())) and section.endswith("fields"):
                del entry["group"]
            if entry.get("group") not in (None, *config.get("user_groups", ())) and section == "users":
                entry["group"] = {"name": "Admin"}
            if isinstance(entry.get("lists"), list):
                entry["lists"] = [one for one in entry["lists"] if one in config.get("lists", ())]
            if isinstance(entry.get("task_types"), list):
                entry["task_types"] = [one for one in entry["task_types"] if one in config.get("task_types", ())]
    _grouped(config)
    for key, one in list(config.get("segments", {}).items()):
        if one["groups"][0]["conditions"][0]["fields"][0]["value"]["ref"].partition(".")[2] not in config.get(
            "tags", ()
        ):
            del config["segments"][key]
    for key, one in list(config.get("personalizations", {}).items()):
        if not one["lists"]:
            del config["personalizations"][key]
    return {section: entries for section, entries in config.items() if entries}


Maker = Callable[[Declaring, Config], dict[str, Any]]


def _plain(what: str, attribute: str, **more: Any) -> Maker:
    return lambda made, config: {attribute: made.name(what), **more}


def _described(made: Declaring, config: Config) -> dict[str, Any]:
    return {"name": made.name("tag"), "description": made.name("text")}


def _list(made: Declaring, config: Config) -> dict[str, Any]:
    return {"name": made.name("list"), **LIST}


def _field(made: Declaring, config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {"title": made.name("field"), "type": made.chance.choice(["text", "dropdown", "radio"])}
    if found["type"] != "text":
        found["options"] = made.chance.sample(CHOICES, made.chance.randint(2, 4))
    if config.get("lists") and made.chance.random() < 0.5:
        found["lists"] = [made.chance.choice(sorted(config["lists"]))]
    return found


def _record_field(made: Declaring, config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {"label": made.name("field"), "type": made.chance.choice(["text", "dropdown", "number"])}
    if found["type"] == "dropdown":
        found["options"] = made.chance.sample(CHOICES, made.chance.randint(2, 4))
    return found


def _pipeline(made: Declaring, config: Config) -> dict[str, Any]:
    stages = {f"s{number}": {"title": made.name("stage")} for number in range(made.chance.randint(1, 4))}
    names = sorted(stages)
    if len(names) > 1 and made.chance.random() < 0.5:
        stages[names[-1]]["lifecycle"] = {"on_destroy": {"move_deals_to": names[0]}}  # type: ignore[assignment]
    return {"title": made.name("pipeline"), "currency": "usd", "stages": stages}


def _object(made: Declaring, config: Config) -> dict[str, Any]:
    word = made.name("object").replace(" ", "-")
    fields = {
        f"f{number}": {"type": "text", "labels": {"singular": made.name("one"), "plural": made.name("many")}}
        for number in range(made.chance.randint(1, 3))
    }
    return {"slug": word, "labels": {"singular": word, "plural": f"{word}s"}, "fields": fields}


def _webhook(made: Declaring, config: Config) -> dict[str, Any]:
    name = made.name("hook")
    found: dict[str, Any] = {
        "name": name, "url": f"https://hooks.example/{name.split()[0]}", "events": ["subscribe"], "sources": ["api"],
    }  # fmt: skip
    if config.get("lists") and made.chance.random() < 0.5:
        found["list"] = made.chance.choice(sorted(config["lists"]))
    return found


def _segment(made: Declaring, config: Config) -> dict[str, Any]:
    tags = config.setdefault("tags", {})
    if not tags:
        tags["a"] = _described(made, config)
    reference = {"ref": f"tag.{made.chance.choice(sorted(tags))}"}
    condition = {"object": "tag", "fields": [{"name": "tagid", "value": reference}]}
    return {"name": made.name("segment"), "match": "all", "groups": [{"conditions": [condition]}]}


def _personalization(made: Declaring, config: Config) -> dict[str, Any]:
    lists = config.setdefault("lists", {})
    if not lists:
        lists["a"] = _list(made, config)
    name = made.name("value")
    tag = name.split()[0].upper()
    return {"tag": tag, "name": name, "format": "text", "content": name, "lists": [made.chance.choice(sorted(lists))]}


def _outcome(made: Declaring, config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {"title": made.name("outcome"), "sentiment": "Positive"}
    if config.get("task_types") and made.chance.random() < 0.5:
        found["task_types"] = [made.chance.choice(sorted(config["task_types"]))]
    return found


def _user(made: Declaring, config: Config) -> dict[str, Any]:
    word = made.name("user").split()[0]
    names = {"username": word, "first_name": word.title(), "last_name": "Doe"}
    groups = sorted(config.get("user_groups", ()))
    return {
        "email": f"{word}@acme.example",
        **names,
        "group": made.chance.choice(groups) if groups else {"name": "Admin"},
    }


def _address(made: Declaring, config: Config) -> dict[str, Any]:
    return {
        "company_name": made.name("company"), "address1": "1 Market Street", "city": "San Francisco", "state": "CA",
        "zip": "94105", "country": "US",
    }  # fmt: skip


def _message(made: Declaring, config: Config) -> dict[str, Any]:
    return {
        "name": made.name("message"), "from_name": "A", "from_email": "a@acme.example", "reply_to": "a@acme.example",
        "subject": made.name("subject"), "text": "Hello", "html": "<p>Hello</p>",
    }  # fmt: skip


def _connection(made: Declaring, config: Config) -> dict[str, Any]:
    name = made.name("shop")
    return {
        "service": "example-shop", "external_id": name.split()[0], "name": name,
        "logo_url": "https://a.example/logo.png", "link_url": "https://a.example/settings",
    }  # fmt: skip


SECTIONS: dict[str, Maker] = {
    "tags": _described,
    "lists": _list,
    "fields": _field,
    "deal_fields": _record_field,
    "account_fields": _record_field,
    "pipelines": _pipeline,
    "custom_objects": _object,
    "field_groups": lambda made, config: {"label": made.name("group"), "object": "contact"},
    "webhooks": _webhook,
    "segments": _segment,
    "personalizations": _personalization,
    "task_types": _plain("task", "title"),
    "task_outcomes": _outcome,
    "deal_roles": _plain("role", "title"),
    "calendars": _plain("calendar", "title", type="Deals", notification=True),
    "addresses": _address,
    "saved_responses": _plain("response", "title", subject="Thank you", body="<p>Soon.</p>"),
    "messages": _message,
    "site_domains": lambda made, config: {"domain": f"{made.name('x').split()[0]}.example"},
    "tracked_events": _plain("event", "name"),
    "user_groups": _plain("people", "name"),
    "users": _user,
    "connections": _connection,
}
"""What makes an entry of each section; settings have keys of their own and are made apart."""
RICH = ("tags", "lists", "fields", "deal_fields", "account_fields", "pipelines", "custom_objects")
"""Sections whose objects hold customer records."""
