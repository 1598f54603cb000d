"""Random valid configurations over all core kinds.

Keys come from small pools, so that two configurations share, rename, reorder and drop objects; names come from pools
that are dealt anew, so that objects swap them and take over each other's.

What the API cannot change in any way (a relationship's removal, a schema field's type, the currency of a currency
field) stays the same for the same key: it would be a manual step, and no test of convergence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

Config = dict[str, dict[str, Any]]
Draw = Callable[..., Any]

KEYS = ("k0", "k1", "k2", "k3")
NAMES = (
    "VIP",
    "100 % sure, 50%% off %PERSTAG%",
    "Party 🎉 👩‍💻",
    "quo\"te's `tick`",
    "a: b # c & <b>d</b>",
    "back\\slash / slash",
    "ünïcödé مرحبا 你好",
    "${not.a} variable {{x}}",
    "null",
    "0123",
    "long " * 40 + "end",
    "- dash",
)
TEXTS = (
    None,
    "",
    "plain",
    "two\nlines",
    "50 % of \"all\" 'quotes'",
    "🎉",
    "x" * 3000,
    " spaces around ",
    "1e3",
    "true",
    "<p>&nbsp;</p>",
)
COLORS = ("32B0FC", "e6ce4b", "18d499")
EVENTS = ("subscribe", "unsubscribe", "deal_add", "deal_update", "contact_tag_added")
SOURCES = ("public", "admin", "api", "system")
CHOICES = ("Free", "Pro", "Enterprise 🎉", "50 %", "a|b", "it's", "x" * 200)
PLAIN_TYPES = ("text", "textarea", "date", "number", "hidden")
CHOICE_TYPES = ("dropdown", "multiselect", "radio", "checkbox")
EMAILS = ("a@example.com", "b@example.com", "c@example.com")


def _some(draw: Draw, pool: Sequence[Any], low: int = 0) -> list[Any]:
    """Some of the pool, in any order."""
    return list(draw(st.permutations(pool)))[: draw(st.integers(low, len(pool)))]


def _names(draw: Draw) -> list[str]:
    """Four names in any order, of few pools: two configurations often share them, and deal them to other keys."""
    start = draw(st.sampled_from([0, 0, 4, 8]))
    return list(draw(st.permutations(NAMES[start : start + 4])))


def _maybe(draw: Draw, into: dict[str, Any], name: str, values: st.SearchStrategy[Any]) -> None:
    """Declare an attribute, or leave it out."""
    if draw(st.booleans()):
        into[name] = draw(values)


TEXT = st.sampled_from(TEXTS)
FLAG = st.booleans()


def _tags(draw: Draw, config: Config, keys: list[str]) -> None:
    for key, name in zip(keys, _names(draw), strict=False):
        tag: dict[str, Any] = {"name": name}
        _maybe(draw, tag, "type", st.sampled_from(["contact", "template"]))
        _maybe(draw, tag, "description", TEXT)
        config["tags"][key] = tag


def _lists(draw: Draw, config: Config, keys: list[str]) -> None:
    slugs = draw(st.permutations(["s-zero", "s-one", "s-two", "s-three"]))
    for key, name, slug in zip(keys, _names(draw), slugs, strict=False):
        one: dict[str, Any] = {"name": name, "sender_url": "https://a.example", "sender_reminder": "You signed up."}
        if key in ("k0", "k2"):
            one["string_id"] = slug
        _maybe(draw, one, "channel", st.sampled_from(["email", "sms"]))
        for flag in ("send_last_broadcast",):
            _maybe(draw, one, flag, FLAG)
        for emails in ("carbon_copy", "subscription_notify", "unsubscription_notify"):
            if draw(FLAG):
                one[emails] = draw(st.sampled_from([None, [], [EMAILS[0]], [EMAILS[1], EMAILS[0]], list(EMAILS)]))
        _maybe(draw, one, "user", st.just("jane@acme.example"))
        _maybe(draw, one, "user_groups", st.sampled_from([[], [{"name": "Admin"}], [{"name": "Clients"}, {"id": "3"}]]))
        for text in ("sender_name", "sender_city", "sender_zip"):
            _maybe(draw, one, text, TEXT)
        config["lists"][key] = one


def _groups(draw: Draw, config: Config, keys: list[str]) -> None:
    for key, name in zip(keys, _names(draw), strict=False):
        group: dict[str, Any] = {"label": name, "object": draw(st.sampled_from(["contact", "deal", "account"]))}
        _maybe(draw, group, "order", st.integers(1, 9))
        config["field_groups"][key] = group


def _group_of(draw: Draw, config: Config, into: dict[str, Any], what: str) -> None:
    fitting = [key for key, group in config["field_groups"].items() if group["object"] == what]
    if fitting:
        _maybe(draw, into, "group", st.sampled_from(fitting))


def _option(draw: Draw, value: str) -> Any:
    if draw(FLAG):
        return value
    option: dict[str, Any] = {"value": value}
    _maybe(draw, option, "label", st.sampled_from([value, "Label", "🎉"]))
    _maybe(draw, option, "default", FLAG)
    return option


def _fields(draw: Draw, config: Config, keys: list[str]) -> None:
    tags = draw(st.permutations(["PT_0", "pt one", "Pt-2!", "PT3"]))
    for key, tag in zip(keys, tags, strict=False):
        # Titles are unique in the account, and the planner cannot swap unique names yet: each key has its own.
        name = draw(st.sampled_from(NAMES[KEYS.index(key) :: len(KEYS)]))
        one: dict[str, Any] = {"title": name, "type": draw(st.sampled_from(PLAIN_TYPES + CHOICE_TYPES))}
        if key in ("k0", "k2"):
            one["perstag"] = tag
        for text in ("description", "default"):
            _maybe(draw, one, text, TEXT)
        for flag in ("visible", "required"):
            _maybe(draw, one, flag, FLAG)
        _maybe(draw, one, "order", st.integers(1, 9))
        if one["type"] in CHOICE_TYPES:
            one["options"] = [_option(draw, value) for value in _some(draw, CHOICES, 1)]
        lists: list[st.SearchStrategy[Any]] = [st.just("all")]
        lists.append(
            st.lists(st.sampled_from(sorted(config["lists"])), unique=True) if config["lists"] else st.just([])
        )
        _maybe(draw, one, "lists", st.one_of(lists))
        _group_of(draw, config, one, "contact")
        config["fields"][key] = one


def _meta(section: str, what: str) -> Callable[[Draw, Config, list[str]], None]:
    def fill(draw: Draw, config: Config, keys: list[str]) -> None:
        for key, name in zip(keys, _names(draw), strict=False):
            types = [*PLAIN_TYPES, *CHOICE_TYPES] if key != "k3" else ["currency"]
            one: dict[str, Any] = {"label": name, "type": draw(st.sampled_from(types))}
            if key == "k3":
                one["default_currency"] = "usd"
            if one["type"] in CHOICE_TYPES:
                one["options"] = _some(draw, CHOICES, 1)
            if one["type"] in ("multiselect", "checkbox"):
                _maybe(draw, one, "default", st.sampled_from([None, [], ["Free"], ["Pro", "Free"]]))
            else:
                _maybe(draw, one, "default", st.sampled_from([None, "", "x", "7", "2019-01-01"]))
            for flag in ("form_visible", "required"):
                _maybe(draw, one, flag, FLAG)
            _maybe(draw, one, "order", st.integers(1, 9))
            _group_of(draw, config, one, what)
            config[section][key] = one

    return fill


def _stages(draw: Draw) -> dict[str, Any]:
    found = {}
    titles = draw(st.permutations([*NAMES[:3], "To Contact", "In Contact"]))
    for key, title in zip(_some(draw, [f"s{n}" for n in range(5)]), titles, strict=False):
        stage: dict[str, Any] = {"title": title}
        _maybe(draw, stage, "color", st.sampled_from(COLORS))
        _maybe(draw, stage, "width", st.integers(100, 400))
        _maybe(draw, stage, "card_region_3", st.sampled_from(["show-avatar", "hide-avatar"]))
        found[key] = stage
    return found


def _pipelines(draw: Draw, config: Config, keys: list[str]) -> None:
    for key, name in zip(keys[:2], _names(draw), strict=False):
        one: dict[str, Any] = {"title": name, "currency": draw(st.sampled_from(["usd", "EUR"]))}
        for flag in ("all_user_groups", "all_users"):
            _maybe(draw, one, flag, FLAG)
        _maybe(draw, one, "user_groups", st.sampled_from([[], [{"name": "Admin"}], [{"id": "2"}, {"id": "1"}]]))
        _maybe(draw, one, "users", st.sampled_from([[], ["jane@acme.example"]]))
        _maybe(draw, one, "auto_assign", st.sampled_from(["off", "round_robin", "deal_value"]))
        if key in ("k0", "k2"):  # later on, the stages of a pipeline that declared none would be somebody else's
            one["stages"] = _stages(draw)
        config["pipelines"][key] = one


def _webhooks(draw: Draw, config: Config, keys: list[str]) -> None:
    names = _names(draw)
    for number, (key, name) in enumerate(zip(keys, names, strict=False)):
        shared = draw(FLAG)
        one: dict[str, Any] = {
            "name": name if not shared else NAMES[0],
            "url": f"https://hook.example/{number if shared else 'same'}?key=a%20b&x={draw(st.sampled_from('pq'))}",
            "events": _some(draw, EVENTS, 1),
            "sources": _some(draw, SOURCES, 1),
        }
        if config["lists"]:
            _maybe(draw, one, "list", st.sampled_from([None, *sorted(config["lists"])]))
        config["webhooks"][key] = one
    seen: set[tuple[str, str]] = set()
    for key, hook in list(config["webhooks"].items()):
        if (hook["name"], hook["url"]) in seen:
            del config["webhooks"][key]
        seen.add((hook["name"], hook["url"]))


SCHEMA_FIELDS = {"f_text": "text", "f-num": "number", "f_drop": "dropdown", "f_cur": "currency"}


def _objects(draw: Draw, config: Config, keys: list[str]) -> None:
    for key in keys[:2]:
        version = draw(st.sampled_from(["", "", "", "-b"]))
        one: dict[str, Any] = {
            "slug": f"slug-{key}{version}",
            "labels": {"singular": draw(st.sampled_from(NAMES)), "plural": draw(st.sampled_from(NAMES))},
        }
        _maybe(draw, one, "description", TEXT)
        fields = {}
        for identity in _some(draw, list(SCHEMA_FIELDS)):
            kind = SCHEMA_FIELDS[identity]
            part: dict[str, Any] = {"type": kind, "labels": {"singular": f"{identity} {draw(st.sampled_from('ab'))}"}}
            part["labels"]["plural"] = part["labels"]["singular"]
            _maybe(draw, part, "description", TEXT)
            _maybe(draw, part, "required", FLAG)
            if kind == "dropdown":
                part["options"] = _some(draw, CHOICES, 1)
            if kind == "currency":
                part["default_currency"] = draw(st.sampled_from(["usd", "EUR"]))
            fields[identity] = part
        if draw(FLAG):
            one["fields"] = fields
        if key == "k0":
            labels = {"singular": "Contact", "plural": draw(st.sampled_from(NAMES))}
            one["relationships"] = {"primary-contact": {"namespace": "contacts", "labels": labels}}
        config["custom_objects"][key] = one


SECTIONS: dict[str, Callable[[Draw, Config, list[str]], None]] = {
    "tags": _tags,
    "lists": _lists,
    "field_groups": _groups,
    "fields": _fields,
    "deal_fields": _meta("deal_fields", "deal"),
    "account_fields": _meta("account_fields", "account"),
    "pipelines": _pipelines,
    "webhooks": _webhooks,
    "custom_objects": _objects,
}


@st.composite
def configurations(draw: Draw) -> Config:
    """A valid configuration; any section may be empty."""
    config: Config = {section: {} for section in SECTIONS}
    for fill in SECTIONS.values():
        fill(draw, config, _some(draw, KEYS))
    return config


def shuffled(value: Any, order: Callable[[list[Any]], list[Any]], *, free: bool = True) -> Any:
    """The same configuration with its keys in another order; only the order of stages means something."""
    if isinstance(value, dict):
        keys = order(list(value)) if free else list(value)
        return {key: shuffled(value[key], order, free=key != "stages") for key in keys}
    return value
