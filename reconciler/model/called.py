"""What people call the things of an account: the names that its screens show, wherever a sentence speaks of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

NAMED_BY = ("title", "name", "label", "tag", "domain", "phrase", "company_name", "slug")
"""The attributes that name an object to people, the first that it has."""
GENERAL = "General Details"
"""What the screens call the field groups that come with the account (help.activecampaign.com, custom account fields);
the API has labels of its own for them, which say for what each one is.
"""
_GIVEN = r"\{\*\*(?:(\w+)_)?DEFAULT\*\*\}"


class KindWords(NamedTuple):
    """A kind as people know it: one, many, and what they notice when one of it is deleted."""

    one: str
    many: str
    gone: str = ""


def called(attrs: Mapping[str, object]) -> str:
    """Return what people call an object, or a part of one, with these attributes; "" where none of them names it."""
    labels = attrs.get("labels")
    singular = labels.get("singular") if isinstance(labels, Mapping) else None
    texts = (singular, *(attrs.get(name) for name in NAMED_BY))
    name = next((text for text in texts if isinstance(text, str) and text), "")
    given = re.fullmatch(_GIVEN, name)
    return f"{GENERAL} ({(given[1] or 'contact').lower()}s)" if given else name
