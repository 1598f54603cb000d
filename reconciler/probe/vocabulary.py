"""What may be found of a fact. A facts file says nothing else, also when it was edited: a value that no branch of this
program knows would be taken for "otherwise" by one and for "not known" by the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_SAYS = ("yes", "no")
_MERGES = ("merge", "reset", "refuse", "ignore")
_CLEARS = ("clears", "keeps", "refuses")
_TEXTS = ("kept", "trimmed", "escaped", "shortened", "refused", "other")
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "put": _MERGES, "empty": _CLEARS, "null": _CLEARS, "unique": _SAYS, "name": _TEXTS, "html": _TEXTS,
    "case": ("one", "two"), "type": ("changes", "keeps"), "choices": ("replace", "keep"),
}  # fmt: skip
"""By what stands before the dot of a fact's name."""
_WORDS: Mapping[str, str] = {
    "address_names": "camelCase other", "admin": "yes no", "arrays": "lists maps", "bulk_options": "append replace",
    "cap_limit": "# more", "created_status": "#", "bad_token_status": "#", "dead_references": "cleared kept",
    "deal_filters": "honoured ignored", "deal_filters_d": "honoured ignored", "default_address_delete": "ok refused",
    "default_stages": "#", "deletion_polls": "# more", "field_body": "field list", "field_group_form": "json other",
    "field_groups": "both definitions members", "field_memberships": "many one", "field_number": "taken refused",
    "field_order_on_create": "kept ignored", "field_page": "# all", "field_required": "taken ignored",
    "field_type": "changes keeps", "flaky_reads": "# once", "gone": "#", "group_flags": "recorded documented",
    "id_reuse": "yes no", "inline_options": "taken ignored", "limit_status": "#", "list_channels": "all email",
    "list_group_keys": "listid other", "list_put": "empty list", "list_string_id": "derived empty",
    "list_update": "merge reset refuse", "member_order": "given dense", "member_path": "member group",
    "message_sender": "fromemail email", "mixed_types": "yes no", "not_found": "recorded documented #",
    "option_bulk": "both singular plural", "option_bulk_singular": "yes no", "option_delete": "empty object refused",
    "orphan_stages": "yes no", "outcome_path": "both taskOutcomes taskOutccomes", "outcome_sentiment": "upper other",
    "palette": "2020-05 2020-07 others", "rate_limit": "#", "request_id": "present absent", "retry_after": "yes no",
    "schema_field_type": "taken refused", "schema_flag": "required isRequired neither",
    "schema_put": "merge replace", "schema_slug": "changes refused", "segments": "new old none",
    "side_load_stages": "yes no", "single_option": "yes no", "site_domains": "new old both",
    "stage_filter": "honoured ignored", "stage_order_on_create": "kept other", "stage_width": "kept other",
    "tag_filter": "honoured ignored", "tag_filter_contacts": "honoured ignored", "tasktype_delete": "refused deleted",
    "user_group": "said", "validate_only": "dry refused writes", "value_filter": "honoured ignored",
    "value_text_filter": "honoured ignored", "webhook_events_put": "replace add", "wrong_wrapper": "ignored taken",
}  # fmt: skip
"""By name, `#` for any number."""
_MORE: Mapping[str, tuple[str, ...]] = {
    "schema_flag": ("isRequired and required",), "user_group": ("not said",),
}  # fmt: skip


_FORMS: Mapping[str, re.Pattern[str]] = {
    "hidden_pipelines": re.compile(r"none|[0-9]{1,20}(, [0-9]{1,20})*", re.ASCII),
}
_OURS = re.compile(r"[A-Za-z0-9 /:;,._{}-]{1,255}", re.ASCII)
"""What this program says in words of its own: paths, numbers, types."""


def words(name: str) -> tuple[str, ...]:
    """Return what may be found of a fact, `#` for any number; () for any text."""
    family = _FAMILIES.get(name.partition(".")[0]) if "." in name else None
    return family or (*_WORDS.get(name, "").split(), *_MORE.get(name, ()))


def takes(name: str, value: str) -> bool:
    """Return whether that may be found of a fact: nothing else is reported or kept, for a text that an account answers
    may be of a person.
    """
    known = words(name)
    if not known:
        return _FORMS.get(name, _OURS).fullmatch(value) is not None
    return value in known or ("#" in known and NUMBER.fullmatch(value) is not None)
