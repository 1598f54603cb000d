"""Which values the API takes, in words of what is wrong with others. No kind lives here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler.model.nearness import apart, plain
from reconciler.model.values import Value, items_of, map_of
from reconciler.model.write import Finding

FIELD_TYPES_WITH_OPTIONS = frozenset({"dropdown", "multiselect", "radio", "checkbox"})
"""Types of fields that hold one of their options."""
SEPARATOR = "||"
"""Between the chosen options of a stored value (section 2.2)."""


def currency(value: object) -> str:
    """Three letters (section 2.7)."""
    return "" if re.fullmatch(r"[A-Za-z]{3}", str(value)) else "is not a currency: three letters, e.g. eur"


def web_address(value: object) -> str:
    """A URL with scheme and host."""
    try:
        parts = urlsplit(str(value))
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    return "" if right and not re.search(r"\s", str(value)) else "is not a web address: it begins with https://"


def receiver(value: object) -> str:
    """Where webhooks are posted to: https on port 443 only [OAS]; examples show http."""
    wrong = web_address(value)
    if wrong:
        return wrong
    parts = urlsplit(str(value))
    return "" if parts.port in (None, 80, 443) else "names a port: webhooks are posted to port 443 only"


def labels(value: Value) -> str:
    """Labels are required (section 2.17)."""
    blank = [name for name in ("singular", "plural") if not str(map_of(value).get(name) or "").strip()]
    return f"has an empty `{blank[0]}`" if blank else ""


def _texts(value: Value) -> list[str]:
    return [item if isinstance(item, str) else str(map_of(item).get("value") or "") for item in items_of(value)]


def choices(value: Value) -> str:
    """Different texts, none of them empty."""
    texts = _texts(value)
    twice = [text for text, count in Counter(texts).items() if count > 1]
    faults = [f"has the option `{text}` twice" for text in twice if text.strip()]
    if any(not text.strip() for text in texts):
        faults.append("has an option without a text")
    return ", and ".join(faults)


def options(value: Value) -> str:
    """The same, and none with the separator of stored values."""
    parted = ", ".join(f"`{text}`" for text in dict.fromkeys(_texts(value)) if SEPARATOR in text)
    faults = [choices(value)] if choices(value) else []
    if parted:
        faults.append(f"has the option {parted}: values are stored as ||one||two||, so no option can hold `||`")
    return ", and ".join(faults)


def near_choices(value: Value) -> str:
    """Options that people take for one: whether the account does, no source says (row 20 of section 7)."""
    known: dict[str, str] = {}
    for text in _texts(value):
        other = known.setdefault(plain(text), text)
        if other != text:
            return f"has the options `{other}` and `{text}`, which differ in {apart((other,), (text,))} only"
    return ""


def mail_address(value: object) -> str:
    """Something before an @ and something behind it; of several, each."""
    texts = [
        address for address in (value if isinstance(value, list) else [value]) if not re.search("%[^%]+%", str(address))
    ]
    right = all(re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", str(text).strip()) for text in texts)
    return (
        ""
        if right
        else "is not an e-mail address"
        if len(texts) == 1
        else "has something that is not an e-mail address"
    )


def url_safe(value: object) -> str:
    """What a URL needs no escapes for (section 2.13)."""
    return "" if re.fullmatch(r"[A-Za-z0-9._~-]+", str(value)) else "is not URL-safe: letters, digits, - and _ only"


def host(value: object) -> str:
    """The name of a host, without scheme, port and path."""
    right = re.fullmatch(r"(\*\.)?[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)*\.?", str(value).strip())
    return "" if right else "is not a domain: it has no https://, no path and no blanks, e.g. www.example.com"


def options_needed(attrs: Mapping[str, Value], changed: frozenset[str]) -> list[Finding]:
    """Refuse a field whose values are options and that is made without any: nothing could be chosen. One that exists
    may lose them: that empties a choice, and is recorded to be taken (section 2.1).
    """
    if attrs.get("type") not in FIELD_TYPES_WITH_OPTIONS or attrs.get("options") or "type" not in changed:
        return []
    return [Finding(f"a {attrs['type']} needs `options`", "error", "options")]
