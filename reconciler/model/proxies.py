"""Which proxy the environment of a process asks for: one reading of its variables for every request of the program.

The libraries read them each in its own way, and httpx fails on what is common: `[::1]` or `fd00::/8` in NO_PROXY.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from reconciler.model.errors import SurroundingsError

HOST = r"[A-Za-z0-9_.:-]+"
HTTP = frozenset({"http", "https"})
PORTS = {"http": 80, "https": 443}
HINT = "set it to http://HOST:PORT, or exempt the host with NO_PROXY"


class Proxy(NamedTuple):
    """A proxy, the variable that names it, and the user and password for it (both empty: none). `url` is without."""

    variable: str
    url: str
    user: str = ""
    password: str = ""

    @property
    def where(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    @property
    def full(self) -> str:
        """The URL with user and password, for libraries that take no others."""
        if not self.user and not self.password:
            return self.url
        return self.url.replace("://", f"://{quote(self.user, '')}:{quote(self.password, '')}@", 1)

    @property
    def address(self) -> str:
        """How messages name it."""
        return f"the proxy {self.where} of {self.variable}"


def proxy_for(url: str, environ: Mapping[str, str], schemes: frozenset[str] = HTTP) -> Proxy | None:
    """Return the proxy for requests to a URL, None where they go directly. As curl does: the small name of a variable
    wins, an empty one is none, ALL_PROXY is for what has no proxy of its own, and HTTP_PROXY does not count in a CGI
    program, where it is a header of a request.

    Raises SurroundingsError, without the value, for one that names no proxy of these `schemes`.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    asked = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    ignored = {"HTTP_PROXY"} if environ.get("REQUEST_METHOD") else set()
    variable = next((name for name in asked if name not in ignored and environ.get(name, "").strip()), None)
    if variable is None or _exempt(parts, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    return _parsed(variable, environ[variable].strip(), schemes)


def _parsed(variable: str, value: str, schemes: frozenset[str]) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError as error:
        raise SurroundingsError(f"the environment variable {variable} is not a URL of a proxy", hint=HINT) from error
    if scheme.startswith("socks") and scheme not in schemes:
        raise SurroundingsError(
            f"the environment variable {variable} names a SOCKS proxy, which cannot be used here",
            hint="set HTTPS_PROXY to an HTTP proxy, exempt the host with NO_PROXY, or, for socks5, install the Python "
            "package socksio beside this program",
        )
    if scheme not in schemes or not re.fullmatch(HOST, host) or port == 0:
        raise SurroundingsError(f"the environment variable {variable} is not a URL of a proxy", hint=HINT)
    named = f"[{host}]" if ":" in host else host
    return Proxy(variable, f"{scheme}://{named}:{port or PORTS.get(scheme, 1080)}", user, password)


def _exempt(parts: SplitResult, exemptions: str) -> bool:
    """Whether NO_PROXY names a host: by `*`, name (its subdomains as well), `*.name` (these only), address or CIDR
    block, each with or without scheme and port. What is none of these exempts nothing.
    """
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or PORTS.get(parts.scheme.lower())
    return any(_names(entry, parts.scheme.lower(), host, port) for entry in re.split(r"[,\s]+", exemptions.lower()))


def _names(entry: str, scheme: str, host: str, port: int | None) -> bool:
    wanted, separator, rest = entry.rpartition("://")
    if separator and wanted not in (scheme, "all"):
        return False
    name = rest
    if bracketed := re.fullmatch(r"\[([^\]]*)\](?::(\d+))?(/\d+)?", rest):
        name, only = bracketed[1] + (bracketed[3] or ""), bracketed[2]
    elif plain := re.fullmatch(r"([^:]*):(\d+)", rest):
        name, only = plain[1], plain[2]
    else:
        only = None
    if not name or (only is not None and only != str(port)):
        return False
    if name == "*":
        return True
    with suppress(ValueError):
        block = ipaddress.ip_network(name.partition("%")[0], strict=False)
        with suppress(ValueError):
            return ipaddress.ip_address(host.partition("%")[0]) in block
        return False
    bare = name.lstrip("*.").rstrip(".")
    return bool(bare) and (host.endswith(f".{bare}") or (host == bare and not name.startswith("*.")))
