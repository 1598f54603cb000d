"""What the environment of a process says about connections: the proxy, and whose certificates are trusted."""

from __future__ import annotations

import importlib.util
import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import httpx

from reconciler.model.errors import SurroundingsError
from reconciler.model.proxies import HINT, HTTP, Proxy, proxy_for

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For connections without TLS, in place of one with every authority of the world: it trusts no server."""


class Network(NamedTuple):
    """The proxy that is asked for, as we and as httpx say it, and what certificates are checked against."""

    asked: Proxy | None = None
    proxy: httpx.Proxy | None = None
    verify: ssl.SSLContext | bool = True

    @classmethod
    def of(cls, url: str, environ: Mapping[str, str]) -> Network:
        """Read the environment for requests to a URL. Raises SurroundingsError, which names the variable."""
        socks = frozenset({"socks5", "socks5h"}) if importlib.util.find_spec("socksio") else frozenset[str]()
        asked = proxy_for(url, environ, HTTP | socks)
        secure = url.lower().startswith("https:") or (asked is not None and asked.url.startswith("https:"))
        return cls(asked, _for_httpx(asked), _context(environ) if secure else _NO_TLS)


def _for_httpx(asked: Proxy | None) -> httpx.Proxy | None:
    if asked is None:
        return None
    try:
        return httpx.Proxy(asked.url, auth=(asked.user, asked.password) if asked.user or asked.password else None)
    except (httpx.InvalidURL, ValueError) as error:
        raise SurroundingsError(
            f"the environment variable {asked.variable} is not a URL of a proxy", hint=HINT
        ) from error


def _context(environ: Mapping[str, str]) -> ssl.SSLContext | bool:
    """Trust SSL_CERT_FILE or SSL_CERT_DIR, without them what comes with httpx; Python itself writes SSLKEYLOGFILE."""
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    _check_certificates(file, folder)
    try:
        return _trusting(file, folder, environ.get("SSLKEYLOGFILE"), _stamp(file or folder))
    except (OSError, ValueError) as error:
        log = environ.get("SSLKEYLOGFILE")
        wrong = "SSLKEYLOGFILE" if log and not _can_append(log) else "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        what = "cannot be written" if wrong == "SSLKEYLOGFILE" else "holds no certificates that can be read"
        why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror and error.errno else ""
        raise SurroundingsError(
            f"what the environment variable {wrong} names {what}{why}", hint=f"mend {wrong}, or unset it"
        ) from error


@lru_cache(maxsize=4)
def _trusting(file: str | None, folder: str | None, log: str | None, stamp: tuple[int, ...]) -> ssl.SSLContext:
    """Return what trusts these; all clients of a process share it, for reading a hundred authorities takes 30 ms and
    0.8 MiB. `log` and `stamp` show whether it is still the same.
    """
    if file:
        return ssl.create_default_context(cafile=file)
    return ssl.create_default_context(capath=folder) if folder else httpx.create_ssl_context(trust_env=False)


def _stamp(path: str | None) -> tuple[int, ...]:
    """Return what tells a file or folder from one that was put in its place; nothing where it is not there."""
    try:
        status = os.stat(path) if path else None
    except (OSError, ValueError):
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns) if status is not None else ()


def _check_certificates(file: str | None, folder: str | None) -> None:
    """Raise SurroundingsError for what is neither a folder nor a file: the library takes it for empty, or waits."""
    if not file and folder and not any(os.path.isdir(part) for part in folder.split(os.pathsep)):
        raise SurroundingsError(
            "the environment variable SSL_CERT_DIR names no folder",
            hint="name a folder of certificates, or unset it",
        )
    if file and os.path.lexists(file) and not os.path.isfile(file):
        raise SurroundingsError(
            "what the environment variable SSL_CERT_FILE names holds no certificates that can be read: it is not a "
            "regular file",
            hint="mend SSL_CERT_FILE, or unset it",
        )


def _can_append(path: str) -> bool:
    place = path if os.path.lexists(path) else os.path.dirname(path) or "."
    return os.access(place, os.W_OK) and not os.path.isdir(path)
