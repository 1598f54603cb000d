"""The URLs of accounts, and of the emulator in place of one: what names an account, and which names mean the same."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import unquote

from reconciler.model.http import SCREENS_DOMAIN, VENDOR_DOMAINS
from reconciler.model.records import record

EMULATOR = "emulator:"
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def identity_of(url: str) -> str:
    """Return what names the account at a URL, however it is spelled."""
    if url.startswith(EMULATOR):
        return EMULATOR + posixpath.normpath(url.removeprefix(EMULATOR))
    scheme, _, rest = url.partition("://")
    authority, _, below = rest.partition("/")
    host = authority.rpartition("@")[2].lower()
    path = posixpath.normpath("/" + unquote(below).lower().lstrip("/")).removesuffix("/api/3").rstrip("/")
    name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    usual = port == {"https": "443", "http": "80"}.get(scheme.lower())
    return f"{name.rstrip('.')}{'' if usual else colon + port}{path}"


def vendor_name(identity: str) -> str:
    """Return the account's name that the vendor's own address says; "" for any other address."""
    label, _, domain = identity.partition("/")[0].partition(".")
    return label if domain in VENDOR_DOMAINS else ""


def screen_of(identity: str, page: str) -> str:
    """Return the address of a screen of the product by its path; "" where the account is not one of the vendor's."""
    owner = vendor_name(identity)
    return f"https://{owner}.{SCREENS_DOMAIN}{page}" if owner else ""


@record
class AccountIdentity:
    """An account as an environment names it: `names` that are only its own, and the key, which opens no other one."""

    names: frozenset[str]
    at: str = ""
    """What sort of address it has, where that tells accounts apart: `vendor`, `emulator`, `loopback`; else ""."""
    key: str = ""

    @classmethod
    def of(cls, url: str, account: str = "", key: str = "", also: Iterable[str] = ()) -> AccountIdentity:
        """Return the account at a URL that is called `account`; `also` are the names that it gave itself."""
        identity = identity_of(url if ":" in url else f"https://{url}")  # of what is not filled in, the text itself
        if identity.startswith(EMULATOR):  # every one of them may be called the same
            return cls(frozenset((identity,)), "emulator")
        host, slash, path = identity.partition("/")
        bare = re.sub(r":\d+$", "", host)
        if vendor := vendor_name(bare):
            name, at = vendor, "vendor"
        else:
            local = bare in LOOPBACK
            name, at = (f"{LOOPBACK[0]}{host.removeprefix(bare)}" if local else host), "loopback" if local else ""
            name += slash + path
        identities = (identity_of(f"https://{text}") for text in (account, *also))
        names = {name, *(vendor_name(text) or text for text in identities)}
        return cls(frozenset(names - {""}), at, "" if "${" in url else key)

    def same(self, other: AccountIdentity) -> bool:
        """Return whether both are one account: one of their names is the same, or the key is, which counts where the
        addresses do not tell the accounts apart. (Test accounts on one machine have the same key.)
        """
        apart = self.at == other.at != ""
        return bool(self.names & other.names) or (bool(self.key) and self.key == other.key and not apart)
