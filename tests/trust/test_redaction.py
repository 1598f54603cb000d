"""The redactor finds a credential however a server spells it, and leaves everything else alone."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.redaction import LONG, SHORTEST, STARS, Redactor, credentials_in, passwords_of

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "quote": quote,
    "quote, slashes too": lambda text: quote(text, safe=""),
    "quote, lower case": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3C", "%3c"),
    "quote_plus": quote_plus,
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML": html.escape,
    "HTML, numbers": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "HTML, twice": lambda text: html.escape(html.escape(text)),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with characters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "every letter escaped": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "on one line": lambda text: text.replace("\n", " "),
    "for a URL, with line ends of Windows": lambda text: quote(text.replace("\n", "\r\n"), safe=""),
    "HTML with breaks": lambda text: html.escape(text).replace("\n", "<br/>"),
}
SECRETS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n/+&\"<>'% \\?=#"),
    min_size=1,
    max_size=40,
).filter(lambda text: len(text.strip()) >= SHORTEST and STARS not in text and "\x85" not in text)


@given(SECRETS, st.sampled_from(sorted(SPELLINGS)), st.text("ab: ,{}", max_size=8))
def test_a_credential_is_found_in_every_spelling(secret: str, spelling: str, around: str) -> None:
    """What stands around it stays."""
    secret = secret.strip()
    text = f"[{around}] {SPELLINGS[spelling](secret)} [{around}]"
    shown = Redactor([secret]).show(text)
    assert SPELLINGS[spelling](secret) not in shown.replace(f"[{around}]", "")
    assert STARS in shown
    assert shown.startswith(f"[{around}] ") or STARS in Redactor([secret]).show(around)


@given(
    st.binary(min_size=0, max_size=7), st.text("abcXYZ0189-_/+=.", min_size=LONG, max_size=40), st.binary(max_size=7)
)
def test_a_credential_is_found_in_base64_of_anything_that_holds_it(before: bytes, secret: str, after: bytes) -> None:
    """As in a header with user and password, in both alphabets."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert STARS in Redactor([secret]).show(f"Basic {text}")


@given(
    st.lists(
        st.text("abcdef-/+ ", min_size=LONG, max_size=20).filter(lambda one: len(one.strip()) >= LONG),
        min_size=2,
        max_size=4,
    )
)
def test_each_line_of_several_is_found(lines: list[str]) -> None:
    """A server may quote one line of a text, or the text with other line ends."""
    redactor = Redactor(["\n".join(lines)])
    for line in lines:
        assert STARS in redactor.show(f"line: <{line.strip()}>")
    assert not any(line.strip() in redactor.show("\r\n".join(lines)) for line in lines)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_holds_no_credential_is_untouched(text: str) -> None:
    """Digests, addresses and prose stay as they are."""
    assert Redactor(["canary-one-1", 'p@ss/w+rd&"<7>', "zwei\nzeilen-lang"]).show(text) == text


def test_a_short_text_is_not_searched_for() -> None:
    """Three letters are in every second word."""
    assert Redactor(["abc", "", " "]).show("abc and abcd") == "abc and abcd"


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("AC_TOKEN", "canary-key-1", True),
        ("AC_PROD_API_KEY", "canary-key-1", True),
        ("PGPASSWORD", "four", True),
        ("AWS_SECRET_ACCESS_KEY", "canary-key-1", True),
        ("DATABASE_URL", "postgres://joe:canary-key-1@db/x", True),
        ("HTTPS_PROXY", "http://joe:canary%2Dkey-1@proxy:3128", True),
        ("MY_TOKEN", "short", False),
        ("AC_TOKEN_FILE", "/run/secrets/canary-key-1", False),
        ("TOKEN_TTL", "canary-key-1", False),
        ("PWD", "/home/canary-key-1", False),
        ("AC_REGION", "canary-key-1", False),
    ],
)
def test_variables_that_hold_credentials_are_known_by_name_or_by_form(name: str, value: str, held: bool) -> None:
    """Those that programs read by name, those that are named so, and passwords in URLs."""
    found = credentials_in({name: value})
    assert bool(found) is held
    assert not credentials_in({name: value}, public=[name]) or name not in ("AC_TOKEN", "AC_PROD_API_KEY")


def test_the_password_of_a_url_is_known_as_it_is_written_and_as_it_is_meant() -> None:
    """A token in place of a user is one, too."""
    assert passwords_of("https://joe:p%40ss@h.example/x") == ["p%40ss", "p@ss"]
    assert passwords_of("https://canary@h.example/x") == ["canary"]
    assert passwords_of("https://h.example/joe:x@y") == []
    assert passwords_of("mail joe@x.example") == []
