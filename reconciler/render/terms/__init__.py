"""What views call kinds and guards. Generated: a kind says it in its `texts`, a guard in the table of guards;
`make generate` brings it here, and `make generated` tells when it is old.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.called import KindWords

SCREENS: Mapping[str, KindWords] = {
    "list": KindWords(
        "list",
        "lists",
        "Its campaigns, reports and segments go with it.",
    ),
    "tag": KindWords(
        "tag",
        "tags",
        "It is taken off every contact that has it.",
    ),
    "field": KindWords(
        "contact field",
        "contact fields",
        "What contacts have in this field is deleted.",
    ),
    "deal_field": KindWords(
        "deal field",
        "deal fields",
        "What deals have in this field is deleted.",
    ),
    "account_field": KindWords(
        "account field",
        "account fields",
        "What companies have in this field is deleted.",
    ),
    "field_group": KindWords(
        "field group",
        "field groups",
        "Its fields keep their values and are in no group then.",
    ),
    "pipeline": KindWords(
        "pipeline",
        "pipelines",
        "Its board disappears with all stages and all deals on it.",
    ),
    "stage": KindWords(
        "stage",
        "stages",
        "Its column disappears from the board of the pipeline.",
    ),
    "custom_object": KindWords(
        "custom object",
        "custom objects",
        "All records of it are deleted with it.",
    ),
    "segment": KindWords(
        "segment",
        "segments",
        "Campaigns and automations that use it lose it.",
    ),
    "webhook": KindWords(
        "webhook",
        "webhooks",
        "The other system hears nothing through it any more.",
    ),
    "user": KindWords(
        "user",
        "users",
        "This person cannot sign in any more, and what they own has no owner then.",
    ),
    "user_group": KindWords(
        "user group",
        "user groups",
        "Its people lose its permissions.",
    ),
    "task_type": KindWords(
        "task type",
        "task types",
        "It cannot be chosen for new tasks any more; old tasks keep it.",
    ),
    "task_outcome": KindWords(
        "task outcome",
        "task outcomes",
        "Tasks lose the outcome that was noted on them.",
    ),
    "deal_role": KindWords(
        "deal role",
        "deal roles",
        "Contacts lose this role in their deals.",
    ),
    "message": KindWords(
        "message",
        "messages",
        "Campaigns and automations that send it have no message then.",
    ),
    "saved_response": KindWords(
        "saved response",
        "saved responses",
        "It cannot be picked any more; sent mails stay.",
    ),
    "personalization": KindWords(
        "personalization",
        "personalizations",
        "Mails that use it show nothing in its place.",
    ),
    "address": KindWords(
        "postal address",
        "postal addresses",
        "Mails that show it lack the address the law asks for.",
    ),
    "connection": KindWords(
        "shop connection",
        "shop connections",
        "Its customers and orders most likely go with it.",
    ),
    "tracked_event": KindWords(
        "tracked event",
        "tracked events",
        "Automations that wait for it wait for good.",
    ),
    "site_domain": KindWords(
        "tracked website",
        "tracked websites",
        "Visits of this website are not tracked any more.",
    ),
    "calendar": KindWords(
        "calendar feed",
        "calendar feeds",
        "Calendars that subscribe to it get nothing more.",
    ),
    "list_exclusion": KindWords(
        "exclusion",
        "exclusions",
        "Contacts that it kept out can be mailed again.",
    ),
    "score": KindWords(
        "score",
        "scores",
        "Contacts or deals lose this score.",
    ),
    "template": KindWords(
        "email template",
        "email templates",
        "No mail can be started from it any more.",
    ),
    "form": KindWords(
        "form",
        "forms",
        "It cannot be filled in any more.",
    ),
    "automation": KindWords(
        "automation",
        "automations",
        "Contacts in it go no further.",
    ),
    "campaign": KindWords(
        "campaign",
        "campaigns",
        "It is not sent any more, and its reports go.",
    ),
    "setting": KindWords(
        "setting",
        "settings",
        "",
    ),
}
"""Every kind, in the order in which a report speaks of them."""

GUARD_TITLES: Mapping[str, str] = {
    "environment_changed": "The project's settings change too",
    "prevent_destroy": "It is protected from being deleted",
    "max_deletes": "Many things are deleted at once",
    "max_records_lost": "Customer data is lost",
    "records_moved": "Customer data moves or means something else",
    "unmanaged_lost": "Things that are not in the files go along",
    "hidden": "People will look for it in vain",
    "account_check": "ActiveCampaign would refuse this",
    "max_requests": "It takes very many requests",
    "max_delete_percent": "A large part of one sort is deleted",
    "list_deletes": "A list is deleted, with contacts on it",
    "empty_configuration": "The files are empty",
    "suspected_rename": "It looks like a rename",
}
"""What each guard is about."""

REASONS: Mapping[str, str] = {
    "prevent_destroy": "The files say that this must not be deleted.",
}
"""What is said of guards whose messages speak of the files in their own words."""
