"""The one redactor: knows every credential of the process by value, and takes it out of texts in all its spellings.

Whatever a person or a file gets to see passes `Redactor.show`, or is a document that was masked by structure when it
was made (`as_made`): a plan, a state, a snapshot. Digests are in those only, so no digest is ever touched.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from html.entities import codepoint2name
from typing import NewType
from urllib.parse import unquote, urlsplit

Shown = NewType("Shown", str)
"""A text that may be shown: it passed the redactor, or was made without secrets."""
STARS = "***"
SHORTEST = 4
"""Characters of a credential that is searched for by value: shorter ones are in every second word, and are masked only
where their place is known."""
LONG = 8
"""Characters from which a line of a credential, its base64, and the value of a variable that is only named like one are
searched for too."""
_HEAD = 12
"""Characters of the beginning of a credential that are one, where a text was cut."""
_WHOLE = 2000
"""Characters of a credential up to which each may be spelled in a way of its own; longer ones are found by lines."""

KNOWN = frozenset(
    {
        "RECONCILER_AGE_IDENTITY", "TF_HTTP_PASSWORD",
        "PGPASSWORD", "MYSQL_PWD",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY", "AZURE_STORAGE_TOKEN",
        "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_CREDENTIALS",
        "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    }
)  # fmt: skip
"""Environment variables that this program, its stores and the hosts of pipelines read credentials from."""
_NAMED = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEY|CONNECTION_STRING|"
    r"(?:ACCESS|ACCOUNT|PRIVATE|SECRET|ENCRYPTION|STORAGE|SIGNING|DEPLOY|LICENSE)_?KEY)(?:_|$)"
)
_ABOUT = re.compile(
    r"_(?:FILE|PATH|DIR|URL|URI|HOST|NAME|USER|ID|ENABLED|TTL|TYPE|EXPIRY|EXPIRES(?:_\w+)?|LENGTH|VERSION)$"
)
_ESCAPED = re.compile(
    r"%(?:25)*([2-7][0-9A-Fa-f])|&(?:amp;)*#[xX]0*([2-7][0-9A-Fa-f]);?|\\+(?:u00|x)([2-7][0-9A-Fa-f])"
    r"|&(?:amp;)*#0*([1-9][0-9]{1,2})"
)
"""A letter or digit that somebody escaped, though nothing asks for it."""
_CUT = re.compile(r"[`'\"]|\.\.\.|\u2026|\s*\Z")
"""What follows a text that was cut."""
_APART = r"(?:[:\s_,-]{0,2}(?:\\{0,4}0?x)?)"
_BYTES = re.compile(rf"(?:[0-9A-Fa-f]{{2}}{_APART}){{8}}")
"""So many bytes in hexadecimal, together or apart, that something may be spelled in them."""
_READ = 20_000
"""Characters of a text that are searched, beyond those that are kept, before it is cut: more than a spelled one has."""
_AUTHORITY = re.compile(r"\w://[^\s/?#]*@")


_ISSUED = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[opsur]_|github_pat_|glpat-|AKIA|ASIA|xox[abprs]-|sk-|sk_(?:live|test)_|AGE-SECRET-KEY-1|eyJ"
    r"|-----BEGIN )\S{8}"
)
"""How credentials begin that well-known programs hand out; `task_type` is none, nor are Slovak lists."""
_DIGEST = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")


def looks_like_a_credential(text: str) -> bool:
    """Tell whether a text looks like a key that some program handed out: one run of letters and digits that nobody
    would type. The digests of commits and plans are none.
    """
    if _DIGEST.fullmatch(text):
        return False
    runs = re.findall(r"[A-Za-z0-9+]{16,}", text)
    mixed = any(sum(one.isdigit() for one in run) >= 2 and any(one.isalpha() for one in run) for run in runs)
    return mixed or _ISSUED.search(text) is not None


def names_a_credential(name: str) -> bool:
    """Tell whether an environment variable is one of `KNOWN`, or is named as those that hold credentials are."""
    upper = name.upper()
    return upper in KNOWN or (_NAMED.search(upper) is not None and _ABOUT.search(upper) is None)


def credentials_in(environ: Mapping[str, str], public: Iterable[str] = ()) -> dict[str, str]:
    """Return the credentials that environment variables hold, each with the name of its variable.

    `public` are variables that a project says are none. Of a URL with a user, the password is one.
    """
    found: dict[str, str] = {}
    listed = frozenset(public)
    for name, value in environ.items():
        if name.upper() in KNOWN or (names_a_credential(name) and name not in listed and len(value.strip()) >= LONG):
            found.update(dict.fromkeys(_identities(value) if name == "RECONCILER_AGE_IDENTITY" else [value], name))
        else:
            found.update(dict.fromkeys(passwords_of(value), name))
    return {value: name for value, name in found.items() if value.strip()}


def _identities(text: str) -> list[str]:
    """Return age identities, one a line, and an SSH key, whole: comments are no secret."""
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")] + [text]


def passwords_of(url: str) -> list[str]:
    """Return the password of a URL as it is written and as it is meant, and what stands for a user without one."""
    if not _AUTHORITY.search(url):
        return []
    try:
        parts = urlsplit(url)
        user, password = parts.username or "", parts.password
    except ValueError:
        return []
    held = user if password is None else password
    return [one for one in dict.fromkeys((held, unquote(held))) if one]


class Redactor:
    """Takes credentials out of texts. `learn` is told of them as they become known, `show` is asked before a text
    leaves. All sessions of a command share one.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._spellings: dict[str, _Spelling] = {}
        self._ordered: list[_Spelling] = []
        self.learn(*values)

    def learn(self, *values: str) -> None:
        """Remember credentials; what is shorter than `SHORTEST` cannot be told from a word, and is not."""
        for value in values:
            for part in _parts(value):
                if part not in self._spellings:
                    self._spellings[part] = _Spelling(part)
                    self._ordered = sorted(self._spellings.values(), key=lambda one: -len(one.value))

    def knows(self, text: str, shortest: int = SHORTEST) -> bool:
        """Tell whether a text holds a credential of at least so many characters, in any spelling."""
        escaped = _escaped(text)
        return any(len(one.value) >= shortest and one.within(text, escaped) for one in self._ordered)

    def show(self, text: str, shortest: int = SHORTEST) -> Shown:
        """Return a text without any credential of at least so many characters."""
        escaped = _escaped(text)
        for one in self._ordered:
            text = one.without(text, escaped) if len(one.value) >= shortest else text
        return Shown(text)


def _escaped(text: str) -> frozenset[str]:
    """Return the characters of ASCII that stand escaped in a text: letters and digits hardly ever do."""
    return frozenset(
        chr(int(match[4]) if match[4] else int(match[1] or match[2] or match[3], 16))
        for match in _ESCAPED.finditer(text)
    )


def as_made(text: str) -> Shown:
    """Return a document that was masked by structure when it was made: it holds digests, and is not touched."""
    return Shown(text)


def published(document: str) -> Shown:
    """Return a document that was masked when it was made, for people and programs elsewhere: once more without any
    credential that is long enough to be none of the digests in it.
    """
    return redactor().show(document, LONG)


def _parts(value: str) -> Iterator[str]:
    whole = value.strip()
    if len(whole) >= SHORTEST:
        yield whole
    lines = [line.strip() for line in re.split(r"[\r\n]+", whole)]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= LONG)


class _Spelling:
    """One credential, and what it looks like where it was quoted for a URL, HTML, JSON or base64, wholly or in part."""

    def __init__(self, value: str) -> None:
        self.value = value
        self._run = max(re.findall(r"[A-Za-z0-9]+", value) or [""], key=len)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Each character in any of its spellings: servers escape some and leave others."""
        return re.compile("".join(map(_character, re.findall(r"\r\n|.", self.value, re.DOTALL))))

    @cached_property
    def _encoded(self) -> tuple[str, ...]:
        """What base64 of anything that holds the credential contains: three ways, by where it begins."""
        raw = self.value.encode("utf-8", "surrogatepass")
        if len(self.value) < LONG:
            return ()
        found = []
        for before in range(3):
            text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
            inner = text[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
            found += [inner, inner.replace("+", "-").replace("/", "_")]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _hexadecimal(self) -> re.Pattern[str] | None:
        """Its bytes in hexadecimal, in either case, together or apart."""
        raw = self.value.encode("utf-8", "surrogatepass")
        if len(self.value) < LONG or len(self.value) > _WHOLE:
            return None
        return re.compile(_APART.join(_digits(f"{byte:02x}") for byte in raw))

    def without(self, text: str, escaped: frozenset[str]) -> str:
        """Return a text without it; `escaped` are the characters that stand escaped in the text."""
        if len(self.value) > _WHOLE:
            text = text.replace(self.value, STARS)
        elif self._possible(text, escaped):
            text = self._pattern.sub(STARS, text)
        for one in self._encoded:
            if one in text:
                text = text.replace(one, STARS)
        if _BYTES.search(text) and self._hexadecimal is not None:
            text = self._hexadecimal.sub(STARS, text)
        return self._uncut(text)

    def _uncut(self, text: str) -> str:
        """Return a text without the beginning of it, where somebody cut the text in the middle of it."""
        head = self.value[:_HEAD]
        place = text.find(head) if len(self.value) > _HEAD else -1
        while place >= 0:
            end = place + _HEAD
            while end < len(text) and end - place < len(self.value) and text[end] == self.value[end - place]:
                end += 1
            if _CUT.match(text, end):
                text = text[:place] + STARS + text[end:]
            place = text.find(head, place + 1)
        return text

    def within(self, text: str, escaped: frozenset[str]) -> bool:
        """Tell whether a text holds it."""
        if self.value in text or any(one in text for one in self._encoded):
            return True
        if _BYTES.search(text) and self._hexadecimal is not None and self._hexadecimal.search(text):
            return True
        return len(self.value) <= _WHOLE and self._possible(text, escaped) and bool(self._pattern.search(text))

    def _possible(self, text: str, escaped: frozenset[str]) -> bool:
        """Its letters and digits are there as they are, or some of them escaped: most texts need no closer look."""
        return self._run in text or not escaped.isdisjoint(self._run)


def _character(character: str) -> str:
    if character in ("\r\n", "\n", "\r"):
        return r"(?:\s+|(?:\\+[rn])+|(?:%(?:25)*0[AaDd])+|(?:&(?:amp;)*#(?:0*1[03]|[xX]0*[aAdD]);?)+|<br ?/?>)+"
    code = ord(character)
    ways = [r"\\+" if character == "\\" else r"\\*" + re.escape(character) if not character.isalnum() else character]
    try:
        ways.append("".join(f"%(?:25)*{_digits(f'{byte:02x}')}" for byte in character.encode()))
    except UnicodeEncodeError:
        pass
    names = [codepoint2name[code]] if code in codepoint2name else []
    names += ["apos"] if character == "'" else []
    names += [f"#0*{code}", f"#[xX]0*{_digits(f'{code:x}')}"]
    ways.append(f"&(?:amp;)*(?:{'|'.join(names)});?")
    ways.append("".join(rf"\\+u{_digits(unit)}" for unit in _units(character)))
    if code < 256:
        ways.append(r"\\+x" + _digits(f"{code:02x}"))
    if character.isspace():
        ways += [r"\s", r"\+", r"\\+t"]
    return f"(?:{'|'.join(ways)})"


def _units(character: str) -> list[str]:
    """Return the UTF-16 code units of a character, as JSON escapes them."""
    raw = character.encode("utf-16-be", "surrogatepass")
    return [raw[place : place + 2].hex() for place in range(0, len(raw), 2)]


def _digits(hexadecimal: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in hexadecimal)


_now: list[Redactor] = []


@contextmanager
def one_for_all(redactor: Redactor) -> Iterator[Redactor]:
    """Let everything inside share this redactor: a command with its sessions, threads and output."""
    _now.append(redactor)
    try:
        yield redactor
    finally:
        _now.remove(redactor)


def redactor() -> Redactor:
    """Return the redactor of the command that runs, or a new one outside of any."""
    return _now[-1] if _now else Redactor()


Show = Callable[[str], Shown]


def abridged(text: str, most: int, show: Show | None = None) -> Shown:
    """Return a text without any credential, of so many characters at most; what is cut off is said by an ellipsis.

    The only way to cut what somebody else wrote: a credential that is cut in two is not found any more. Of a text that
    is longer than what is searched, the last part of that is left out, for half of one may stand there.
    """
    told = (show or redactor().show)(text[: 2 * _READ])
    if len(text) > 2 * _READ:
        told = Shown(f"{told[: max(len(told) - _READ, 0)]}...")
    return told if len(told) <= most else Shown(f"{told[: max(most - 3, 0)]}...")
