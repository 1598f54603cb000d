"""The one redactor: knows every credential of the process by value, and takes it out of texts in all its spellings.

Whatever a person or a file gets to see passes `Redactor.show`, or is a document that was masked by structure when it
was made (`as_made`): a plan, a state, a snapshot. Digests are in those only, so no digest is ever touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import NewType
from urllib.parse import unquote, urlsplit

from reconciler.model.patterns import finder, literally
from reconciler.model.records import mutable
from reconciler.model.spelling import readings, unescaped

Shown = NewType("Shown", str)
"""A text that may be shown: it passed the redactor, or was made without secrets."""
STARS = "***"
SHORTEST = 4
"""Characters of a credential that is searched for by value: shorter ones are in every second word, and are masked only
where their place is known."""
LONG = 8
"""Characters from which a line of a credential, its base64, and the value of a variable that is only named like one are
searched for too."""
RANDOM, WORDS = 12, 10
"""Characters of a part of a credential that is one: of what no language has, and of what may be words."""
_HEAD = 12
"""Characters of the beginning of a credential that are one, where a text was cut."""
_BEGINNING = rb"AGE-SECRET-KEY-1?|-----BEGIN [A-Z ]*-*|github_pat_"
"""Beginnings of credentials that are public knowledge."""
_SEED = 6
"""Characters of a part of a credential by which it is found, at most."""
_WHOLE = 2000
"""Characters of a credential up to which it is searched for from its end to its beginning too."""

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
_CUT = rb"[`'\"]|\.\.\.|\xe2\x80\xa6|\s*\Z"
"""What follows a text that was cut."""
_ELLIPSES = (b"...", b"\xe2\x80\xa6")
_READ = 20_000
"""Characters of a text that are searched, beyond those that are kept, before it is cut: more than a spelled one has."""
_AUTHORITY = re.compile(r"\w://[^\s/?#]*@")


_ISSUED = (
    r"(?<![A-Za-z0-9])(?:gh[opsur]_|github_pat_|glpat-|AKIA|ASIA|xox[abprs]-|sk-|sk_(?:live|test)_|AGE-SECRET-KEY-1|eyJ"
    r"|-----BEGIN )\S{8}"
)
"""How credentials begin that well-known programs hand out; `task_type` is none, nor are Slovak lists."""
_DIGEST = r"(?:[0-9a-f]{40}|[0-9a-f]{64})"


def looks_like_a_credential(text: str) -> bool:
    """Return whether a text looks like a key that some program handed out: one run of letters and digits that no
    one would type. The digests of commits and plans are not.
    """
    if re.fullmatch(_DIGEST, text):
        return False
    runs = re.findall(r"[A-Za-z0-9+]{16,}", text)
    mixed = any(sum(byte.isdigit() for byte in run) >= 2 and any(byte.isalpha() for byte in run) for run in runs)
    return mixed or re.search(_ISSUED, text) is not None


def names_a_credential(name: str) -> bool:
    """Return whether an environment variable is one of `KNOWN`, or is named as those that hold credentials are."""
    upper = name.upper()
    return upper in KNOWN or (_NAMED.search(upper) is not None and _ABOUT.search(upper) is None)


def credentials_in(environ: Mapping[str, str], public: Iterable[str] = ()) -> dict[str, str]:
    """Return the credentials that environment variables hold, each with the name of its variable.

    `public` are variables that a project says are none. Of a URL with a user, the password is one.
    """
    credentials: dict[str, str] = {}
    listed = frozenset(public)
    for name, value in environ.items():
        named = names_a_credential(name) and name not in listed and len(value.strip()) >= LONG
        if name.upper() in KNOWN or named:
            texts = _identities(value) if name == "RECONCILER_AGE_IDENTITY" else [value]
            credentials.update(dict.fromkeys(texts, name))
        else:
            credentials.update(dict.fromkeys(passwords_of(value), name))
    return {value: name for value, name in credentials.items() if value.strip()}


def _identities(text: str) -> list[str]:
    """Return age identities, one a line, and an SSH key, whole: comments are not secret."""
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
    secret = user if password is None else password
    return [spelling for spelling in dict.fromkeys((secret, unquote(secret))) if spelling]


class Redactor:
    """Takes credentials out of texts. `learn` is told of them as they become known, `show` is asked before a text
    leaves. All sessions of a command share one.

    A text is searched in everything that it may say (`spelling.readings`), in either case and from either end, for
    credentials and for parts of them that are long enough to be no accident. Of each, some seeds are searched for, so
    near to each other that no part that counts has none; most texts have none at all, and that takes one pass.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._known: dict[str, list[_Form]] = {}
        self._looked_for: dict[int, _Seeds] = {}
        self._spaces = False
        self.learn(*values)

    def learn(self, *values: str) -> None:
        """Remember credentials; what is shorter than `SHORTEST` cannot be told from a word, and is not."""
        for value in values:
            for part in _parts(value):
                if part not in self._known:
                    self._known[part] = list(_forms(part))
                    self._spaces = self._spaces or bool(re.search(r"[\s+]", part))
                    self._looked_for.clear()

    def knows(self, text: str, shortest: int = SHORTEST, parts: bool = True) -> bool:
        """Return whether a text holds a credential of so many characters or more, in any spelling; or a part of one."""
        return (
            bool(self._known)
            and next(self._found(text.encode("utf-8", "surrogatepass"), shortest, parts), None) is not None
        )

    def show(self, text: str, shortest: int = SHORTEST) -> Shown:
        """Return a text without any credential of at least so many characters, and without parts of one."""
        if not self._known:
            return Shown(text)
        raw = text.encode("utf-8", "surrogatepass")
        spans = sorted(self._found(raw, shortest, True))
        return Shown(_starred(raw, spans).decode("utf-8", "surrogatepass")) if spans else Shown(text)

    def _found(self, raw: bytes, shortest: int, parts: bool) -> Iterator[tuple[int, int]]:
        """Yield where in a text credentials stand, in bytes."""
        if len(raw) < self._seeds(shortest, True).least:
            return  # what is spelled in a text is no longer than the text
        for reading in readings(raw, self._spaces):
            for first, end in self._seeds(shortest, reading.whole).within(reading.text, parts):
                yield reading.place(first, end)

    def _seeds(self, shortest: int, whole: bool) -> _Seeds:
        """Return what is searched for in a text, or else in what is spelled in it: short ones are not spelled."""
        least = shortest if whole else max(shortest, LONG)
        if least not in self._looked_for:
            forms = [form for value, forms in self._known.items() if len(value) >= least for form in forms]
            self._looked_for[least] = _Seeds(forms)
        return self._looked_for[least]


def _starred(raw: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Return a text with stars in place of everything in these places, whole characters, wherever they meet once."""
    out: list[bytes] = []
    last = 0
    for start, stop in spans:
        first, end = start, stop
        while first and raw[first] & 0xC0 == 0x80:
            first -= 1
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end += 1
        if first > last or not out:
            out += [raw[last:first], STARS.encode()]
        last = max(last, end)
    return b"".join([*out, raw[last:]])


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


@mutable
class _Form:
    """A credential as it is searched for: as it is, with its escapes read, in another case, from its end."""

    exact: bytes
    backwards: bool
    short: bool
    """A short word: found in its own case only, and whole."""

    @cached_property
    def lower(self) -> bytes:
        return self.exact.lower()

    @cached_property
    def least(self) -> int:
        """Bytes of the shortest part that may count."""
        size = len(self.exact)
        return size if size <= LONG else min(size, max(LONG, min(RANDOM, _share(size, 2, 3))))

    @cached_property
    def seeds(self) -> list[tuple[bytes, int]]:
        """What is searched for first, with its place: every part of `least` bytes has one of them."""
        size = min(_SEED, self.least)
        places = range(0, len(self.exact) - size + 1, self.least - size + 1)
        return [(self.lower[place : place + size], place) for place in places]

    def around(self, encoded: bytes, lower: bytes, place: int, at: int, parts: bool) -> tuple[int, int] | None:
        """Return from where to where it, or a part of it that counts, stands in what was read around a seed."""
        first, end, inner = self._extended(lower, place, at)
        return (first, end) if self._counts(encoded, first, end, inner, parts) else None

    def _extended(self, lower: bytes, place: int, at: int) -> tuple[int, int, int]:
        """Return from where to where a text agrees with it around a seed, and where in it that begins."""
        if place >= at and lower.startswith(self.lower, place - at):
            return place - at, place - at + len(self.lower), 0
        first, inner = place, at
        while first and inner and lower[first - 1] == self.lower[inner - 1]:
            first, inner = first - 1, inner - 1
        end, last = place, at
        while end < len(lower) and last < len(self.lower) and lower[end] == self.lower[last]:
            end, last = end + 1, last + 1
        return first, end, inner

    def _counts(self, encoded: bytes, first: int, end: int, inner: int, parts: bool) -> bool:
        size, whole = end - first, len(self.exact)
        if size == whole:
            return not self.short or encoded[first:end] == self.exact
        part = self.exact[inner : inner + size]
        if not parts or size < self.least or re.fullmatch(_BEGINNING, part):
            return False
        if size >= max(_HEAD if part.isalpha() else WORDS, _share(whole, 2, 3)) or _random(part):
            return True
        cut = re.compile(_CUT).match(encoded, end) if size >= _HEAD and not inner and not self.backwards else None
        return cut is not None and not (part.isalpha() and cut[0] not in _ELLIPSES)


class _Seeds:
    """The seeds of some credentials, all searched for at once."""

    def __init__(self, forms: Iterable[_Form]) -> None:
        self._of: dict[bytes, list[tuple[_Form, int]]] = {}
        forms = list(forms)
        self.least = min((form.least for form in forms), default=0)
        """Bytes of the shortest text that may hold one, or a part that counts."""
        for form in forms:
            for seed, at in form.seeds:
                self._of.setdefault(seed, []).append((form, at))
        self._lengths = sorted({len(seed) for seed in self._of})
        self._find = finder(map(literally, self._of)) if self._of else lambda _, __: -1

    def within(self, encoded: bytes, parts: bool) -> Iterator[tuple[int, int]]:
        """Yield where credentials, or parts of them that count, stand in what was read."""
        lower, last = encoded.lower(), 0
        place = self._find(lower, 0)
        while place >= 0:
            spans = [
                span
                for length in self._lengths
                if place + length > last
                for form, at in self._of.get(lower[place : place + length], ())
                if (span := form.around(encoded, lower, place, at, parts)) is not None
            ]
            yield from spans
            last = max([last, *(end for _, end in spans)])
            place = self._find(lower, max(place + 1, last - max(self._lengths) + 1))


def _share(size: int, of: int, all_of: int) -> int:
    return -(-size * of // all_of)


def _random(part: bytes) -> bool:
    """Return whether a text is none that a language has: its letters and digits change too often."""
    return len(re.findall(rb"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", part)) > 1


def _forms(value: str) -> Iterator[_Form]:
    """Yield what a credential is searched for as; of letters beyond ASCII, which have no case in bytes, both cases."""
    texts = dict.fromkeys((value,) if value.isascii() else (value, value.lower(), value.upper()))
    forms: dict[bytes, _Form] = {}
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        slugs = [re.sub(kept, mark, raw) for kept in (rb"[^A-Za-z0-9_-]+", rb"[^A-Za-z0-9]+") for mark in (b"_", b"-")]
        spelled = (raw, unescaped(raw).text.strip(), unescaped(raw, spaces=False).text.strip())
        for form in (*spelled, *(slugs if len(text) >= LONG and text.isascii() else ())):
            if len(form) >= SHORTEST:
                forms.setdefault(form, _Form(form, False, len(value) < LONG and value.isalpha()))
        if LONG <= len(text) <= _WHOLE:
            turned = text[::-1].encode("utf-8", "surrogatepass")
            for form in (turned, unescaped(turned).text.strip()):
                forms.setdefault(form, _Form(form, True, False))
    yield from forms.values()


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
BETWEEN = "\0" * 8
"""What stands between texts that are looked at together: no way to spell a credential goes on across it."""


def abridged(text: str, most: int, show: Show | None = None) -> Shown:
    """Return a text without any credential, of so many characters at most; what is truncated is said by an ellipsis.

    The only way to cut what another person wrote: a credential that is cut in two is not found any more. Of a text that
    is longer than what is searched, the last part of that is left out, for half of one may stand there.
    """
    shown = (show or redactor().show)(text[: 2 * _READ])
    if len(text) > 2 * _READ:
        shown = Shown(f"{shown[: max(len(shown) - _READ, 0)]}...")
    return shown if len(shown) <= most else Shown(f"{shown[: max(most - 3, 0)]}...")
