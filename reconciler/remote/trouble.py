"""Why there is no connection, in words that say what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from reconciler.model.proxies import Proxy

DEPTH = 10
"""Errors are wrapped a few times by the layers of the HTTP library; more than this would be a loop."""


def no_connection(error: Exception, *, timed_out: bool, proxy: Proxy | None = None) -> tuple[str, str]:
    """Return what is wrong and what to do about it, for an error of a request that never left, to the host itself or
    to the proxy before it.
    """
    causes = list(_causes(error))
    tls = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
    unresolved = any(isinstance(cause, socket.gaierror) for cause in causes)
    if tls:
        hint = "check the host in `url`; behind a company proxy, point SSL_CERT_FILE to its certificate"
        return _untrusted(tls), hint
    if proxy is not None:
        hint = f"check {proxy.variable} and the proxy; NO_PROXY exempts hosts from it"
        return _proxy_failure(proxy.address, error, unresolved=unresolved, timed_out=timed_out), hint
    if unresolved:
        return (
            "there is no host of that name",
            "check `url` for a typing error, and that this machine can resolve names",
        )
    what = "no connection in time" if timed_out else "no server accepts connections there"
    return what, "check `url`, the network, and HTTPS_PROXY if you use a proxy"


def _untrusted(errors: list[ssl.SSLError]) -> str:
    unproven = next((error for error in errors if isinstance(error, ssl.SSLCertVerificationError)), None)
    why = getattr(unproven, "verify_message", "") or "verification failed"
    return f"its certificate is not trusted ({why})" if unproven else "it does not speak TLS"


def _proxy_failure(address: str, error: Exception, *, unresolved: bool, timed_out: bool) -> str:
    if unresolved:
        return f"there is no host of the name in {address}"
    if isinstance(error, httpx.ProxyError):
        status = str(error)[:3]
        return f"{address} refuses{f' ({status})' if status.isdecimal() else ''}"
    return f"{address} {'does not answer in time' if timed_out else 'accepts no connections'}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from or while handling."""
    for _ in range(DEPTH):
        if error is None:
            return
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__
