"""For every attribute that refers to another object: an account in which that object is gone. The table is held against
the marks of the kinds, so that no reference can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.spec import RefTo
from reconciler.resources import load_kinds

Seed = Mapping[str, Any]
GONE = "7777"
"""An id that no object of the account has."""
LIST = {"id": "11", "name": "News", "stringid": "news", "sender_url": "https://x.example", "sender_reminder": "r"}
OBJECT = {"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "fields": []}
PIPELINE = {"id": "31", "title": "Sales", "currency": "usd", "stages": [{"title": "A"}]}
OUTCOME = {"id": "21", "title": "Won", "sentiment": "POSITIVE"}
HOOK = {"name": "W", "url": "https://h.example/x", "events": ["subscribe"], "sources": ["public"]}
SHOP = {"service": "shop", "externalid": "1", "name": "Shop", "logoUrl": "https://l.example/a", "linkUrl": "https://l.example/b"}  # fmt: skip  # noqa: E501
TEXT = {"tag": "hello", "name": "Hello", "format": "text", "content": "Hi"}
DEAD: Mapping[tuple[str, str], Seed] = {
    ("list", "user"): {"lists": [{**LIST, "user": GONE, "userid": GONE}]},
    ("list", "user_groups"): {"lists": [LIST], "listGroups": [{"list": "11", "group": GONE}]},
    ("webhook", "list"): {"webhooks": [{**HOOK, "listid": GONE}]},
    ("field", "lists"): {"fields": [{"title": "Plan", "type": "text", "relids": [GONE]}]},
    ("connection", "list"): {"connections": [{**SHOP, "listId": GONE}]},
    ("personalization", "lists"): {"personalizations": [{**TEXT, "listIds": GONE}]},
    ("pipeline", "users"): {"dealGroups": [PIPELINE], "dealGroupUsers": [{"dealGroup": "31", "user": GONE}]},
    ("pipeline", "user_groups"): {"dealGroups": [PIPELINE], "dealGroupGroups": [{"dealGroup": "31", "group": GONE}]},
    ("task_outcome", "task_types"): {
        "taskOutcomes": [OUTCOME],
        "tasktypeOutcomeRels": [{"tasktype_id": GONE, "outcome_id": "21"}],
    },
    ("custom_object", "parent"): {"schemas": [{**OBJECT, "parentId": GONE}]},
}
SILENT: Mapping[tuple[str, str], str] = {
    ("field", "group"): "members are read group by group: of a group that is gone nothing is shown",
    ("deal_field", "group"): "as of contact fields",
    ("account_field", "group"): "as of contact fields",
    ("field_group", "fields"): "a member row of a field that is gone is left out of the list, see `test_groups`",
    ("address", "user_group"): "reads never return it",
    ("user", "group"): "members are read group by group, and users are left out of exports",
    ("stage", "pipeline"): "stages of pipelines that are gone belong to nobody (section 1.10)",
}
"""References whose dead ids the account does not show, with the reason."""


def marked() -> set[tuple[str, str]]:
    """Return every attribute of every kind that refers to something."""
    return {
        (kind.name, name)
        for kind in load_kinds().values()
        for name, attribute in kind.attributes.items()
        if attribute.mark(RefTo) is not None
    }
