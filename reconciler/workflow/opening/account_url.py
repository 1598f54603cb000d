"""The URLs of accounts, and of the emulator in place of one."""

from __future__ import annotations

import posixpath
import re

EMULATOR = "emulator:"


def identity_of(url: str) -> str:
    """Return what names the account at a URL, however it is spelled."""
    if url.startswith(EMULATOR):
        return EMULATOR + posixpath.normpath(url.removeprefix(EMULATOR))
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.rpartition("@")[2].rstrip("/").removesuffix("/api/3").lower().partition("/")
    name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    usual = port == {"https": "443", "http": "80"}.get(scheme.lower())
    return f"{name.rstrip('.')}{'' if usual else colon + port}{slash}{path}"
