"""What a probe has to find on an emulated account: for every switch of the emulator the facts that follow from it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from reconciler.emulator import AccountSettings

TURNED: dict[str, tuple[Any, ...]] = {
    "bad_token_status": (401,),
    "flaky_reads": (5,),
    "created_status": (200,),
    "not_found": ("documented",),
    "cap_limit": (20, 50),
    "field_page": (100,),
    "mixed_types": (1, 2, 3),
    "unique": (("tags",), ("lists",), ("dealRoles",), ("dealTasktypes",), ("tags", "lists", "dealRoles")),
    "orphan_stages": (True,),
    "id_reuse": (True,),
    "palette": ("2020-05",),
    "side_load_stages": (False,),
    "hidden_pipelines": (("1",),),
    "list_channels": ("all",),
    "list_update": ("refuse", "reset"),
    "list_put": ("list",),
    "bulk_options": ("replace",),
    "option_bulk": ("singular", "plural"),
    "arrays": ("maps",),
    "option_delete": ("object",),
    "field_groups": ("definitions", "members"),
    "member_order": ("dense",),
    "field_memberships": ("one",),
    "dead_references": ("kept",),
    "group_flags": ("documented",),
    "tasktype_delete": ("deleted",),
    "outcome_path": ("taskOutcomes", "taskOutccomes"),
    "default_address_delete": ("refused",),
    "site_domains": ("old", "both"),
    "schema_flag": ("isRequired",),
    "deletion_polls": (0, 5),
    "forbidden": (("scores",), ("savedResponses",)),
    "missing": (("audiences",), ("templates",)),
}
"""Every switch that requests can tell, with the values that it does not have by itself."""
NOT_TOLD: dict[str, str] = {
    "token": "it is the key that the probe has",
    "account": "a name, and no behaviour",
    "admin": "a key without permissions is refused before anything is written (test_refusals)",
    "rate_limit": "a burst is sent only where it is asked for (test_burst)",
    "limit_status": "as rate_limit",
    "retry_after": "as rate_limit",
    "list_contacts": "it takes contacts that are subscribed",
    "username_changes": "it takes a user, who would be sent a mail",
    "outcome_rel_delete": "it takes tasks",
    "contacts_sync": "it makes a contact",
    "repeated_event_tracking": "it takes a write to a switch that was there",
}
"""Switches that no request of a probe may tell, with why."""


def expected(settings: AccountSettings, usual: dict[str, str]) -> dict[str, str]:
    """Return what has to be found on an account that behaves so, of what is found on a `usual` one."""
    unique, off = settings.unique, ("/" + one for one in settings.forbidden)
    plural = settings.option_bulk == "plural"
    found = usual | {
        "bad_token_status": str(settings.bad_token_status),
        "flaky_reads": str(settings.flaky_reads),
        "created_status": str(settings.created_status),
        "not_found": settings.not_found,
        "cap_limit": str(settings.cap_limit),
        "field_page": "20" if min(settings.field_page, settings.cap_limit) == 20 else "100",
        "mixed_types": "yes" if settings.mixed_types else "no",
        **{f"unique.{one}": "yes" if one in unique else "no" for one in ("tags", "lists", "dealRoles",
        "dealTasktypes")},
        "unique.list_string_ids": "yes" if "lists" in unique else "no",
        "orphan_stages": "yes" if settings.orphan_stages else "no",
        "id_reuse": "yes" if settings.id_reuse else "no",
        "side_load_stages": "yes" if settings.side_load_stages else "no",
        "hidden_pipelines": ", ".join(settings.hidden_pipelines) or "none",
        "option_bulk_singular": "no" if plural else "yes",
        "group_flags": settings.group_flags,
        "deletion_polls": str(settings.deletion_polls),
        "forbidden": ", ".join(off) or "none",
        "missing": ", ".join("/" + one for one in settings.missing if one != "audiences") or "none",
        "segments": "old" if "audiences" in settings.missing else "new",
        **{
            name: str(getattr(settings, name))
            for name in (
                "palette", "list_channels", "list_update", "list_put", "bulk_options", "option_bulk", "arrays",
                "option_delete", "field_groups", "member_order", "field_memberships", "dead_references",
                "tasktype_delete", "outcome_path", "default_address_delete", "site_domains", "schema_flag",
            )
        },
    }  # fmt: skip
    dark = {"field_memberships": {"one": ["unique.groupMembers"]}, "bulk_options": {"replace": ["unique.options"]}}
    for switch, values in dark.items():
        for name in values.get(str(getattr(settings, switch)), ()):
            found.pop(name, None)
    if "savedResponses" in settings.forbidden:
        found = {name: one for name, one in found.items() if not name.endswith(".saved_response")}
    return found


def turned(switch: str, value: Any) -> AccountSettings:
    """Return the settings of an account with one switch turned."""
    return replace(AccountSettings(), **{switch: value})


def mixture(seed: int) -> AccountSettings:
    """Return the settings of an account with some switches turned, by chance."""
    dice = random.Random(seed)
    chosen = {name: dice.choice(values) for name, values in TURNED.items() if dice.random() < 0.5}
    return replace(AccountSettings(), **chosen)


def name_of(settings: AccountSettings) -> str:
    """Return what is turned, for people."""
    plain = AccountSettings()
    return ", ".join(
        f"{name}={value}" for name, value in settings.data().items() if value != plain.data()[name]
    ) or "nothing"  # fmt: skip
