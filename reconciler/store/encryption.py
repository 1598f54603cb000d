"""Encryption at rest: documents as age files, through pyrage (the extra `encrypt`). The only home of pyrage.

Several recipients may read; reading takes one identity of theirs. A document that is not encrypted is read as it is,
so that encryption can be switched on over an existing state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from reconciler.model.errors import ReconcilerError, StateDamaged, StateError
from reconciler.store.reading import read_regular

MAGIC = b"age-encryption.org/v1"
IDENTITY, IDENTITY_FILE = "RECONCILER_AGE_IDENTITY", "RECONCILER_AGE_IDENTITY_FILE"
"""Environment variables: identities as text, or the path of a file with them; one a line, `#` begins a comment. An SSH
key without a passphrase is an identity too."""
SSH = r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"
STANZA = rb"\A" + re.escape(MAGIC) + rb"\n(?:-> [^\n]+\n(?:[A-Za-z0-9+/]*\n)*?)+--- [A-Za-z0-9+/]{43}\n"


class Maker(Protocol):
    """Reads identities or recipients."""

    def from_str(self, text: str, /) -> object: ...
    def from_buffer(self, content: bytes, /) -> object: ...


class Keys(Protocol):
    """One sort of keys."""

    Identity: Maker
    Recipient: Maker


class Age(Protocol):
    """The library `pyrage`, which ships no types."""

    ssh: Keys
    x25519: Keys
    DecryptError: type[Exception]
    IdentityError: type[Exception]
    RecipientError: type[Exception]

    def encrypt(self, content: bytes, recipients: list[object], /) -> bytes: ...
    def decrypt(self, content: bytes, identities: list[object], /) -> bytes: ...


class Seal:
    """Encrypts for `recipients` (none: not at all) and decrypts with what `environ` offers."""

    def __init__(self, recipients: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> None:
        self._recipients = tuple(recipients)
        self._environ = environ or {}
        self._keys: list[object] | None = None
        self._checked = False

    @property
    def active(self) -> bool:
        """Whether what is written is encrypted."""
        return bool(self._recipients)

    def close(self, content: bytes) -> bytes:
        """Return the content as it is written. Raises StateError for a recipient that is none."""
        if not self._recipients:
            return content
        return _pyrage().encrypt(content, [_recipient(text) for text in self._recipients])

    def check(self) -> None:
        """Raise StateError unless what is written now can be read again with the identities at hand."""
        if self.active and not self._checked:
            self.open(self.close(b""), "what would be written")
            self._checked = True

    def open(self, content: bytes, what: str) -> bytes:
        """Return what a document says. Raises StateError that tells a wrong key, tampering and damage apart."""
        if not content.startswith(MAGIC):
            return content
        if re.match(STANZA, content) is None:
            raise StateDamaged(
                f"{what} is damaged: it is an age file whose header is truncated or mangled",
                hint="restore it from a backup, or `reconciler state restore`; nothing was changed",
            )
        identities = self._identities()
        if not identities:
            raise StateError(
                f"{what} is encrypted, and no key to read it was given",
                hint=f"set {IDENTITY_FILE} to the file with your age identity, or {IDENTITY} to the identity",
            )
        pyrage = _pyrage()
        try:
            return pyrage.decrypt(content, identities)
        except pyrage.DecryptError as error:
            raise _unreadable(what, str(error)) from None

    def _identities(self) -> list[object]:
        if self._keys is None:
            text = _identities(self._environ)
            self._keys = [_ssh(block) for block in re.findall(SSH, text)]
            self._keys += [_identity(line) for line in _lines(re.sub(SSH, "", text))]
        return self._keys


def _unreadable(what: str, reason: str) -> StateError:
    """The header is whole. pyrage finds no key for it, or finds one and the header's or a chunk's MAC does not fit."""
    if "No matching keys" in reason:
        return StateError(
            f"{what} is encrypted for other keys than yours",
            hint="use an identity of one of its recipients, or have one of them add yours",
        )
    return StateDamaged(
        f"{what} was altered or truncated after it was written: its contents do not fit its authentication code",
        hint="do not trust it; `reconciler state history` lists earlier versions. Nothing was changed",
    )


def _identities(environ: Mapping[str, str]) -> str:
    text = environ.get(IDENTITY, "")
    path = environ.get(IDENTITY_FILE, "")
    if path:
        try:
            text += "\n" + read_regular(Path(path).expanduser()).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a text"
            raise StateError(
                f"the identity file {path} cannot be read: {reason}",
                hint=f"{IDENTITY_FILE} names the file with your age identity; `age-keygen -o FILE` makes one",
            ) from error
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _identity(line: str) -> object:
    pyrage = _pyrage()
    try:
        return pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        raise StateError(
            "an age identity cannot be read: it must be a line that begins with AGE-SECRET-KEY-1",
            hint=f"see {IDENTITY} and {IDENTITY_FILE}; `age-keygen` makes one",
        ) from None


def _ssh(block: str) -> object:
    pyrage = _pyrage()
    try:
        return pyrage.ssh.Identity.from_buffer(block.encode() + b"\n")
    except pyrage.IdentityError as error:
        raise StateError(
            f"an SSH key cannot be used as an identity: {error}",
            hint="it has to be ed25519 or RSA, and without a passphrase",
        ) from None


def _recipient(text: str) -> object:
    pyrage = _pyrage()
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise StateError(
            f"`{text}` is not an age recipient: {error}", hint="it begins with age1 (`age-keygen -y FILE` prints it)"
        ) from None


def _pyrage() -> Age:
    try:
        import pyrage
    except ImportError as error:
        raise ReconcilerError(
            "encryption needs the extra `encrypt`", hint="pip install 'activecampaign-reconciler[encrypt]'"
        ) from error
    return cast(Age, pyrage)
