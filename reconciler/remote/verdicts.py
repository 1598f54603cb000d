"""What an answer means, or that none came: the answer itself, an error, or that another try may mend it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from reconciler.model.errors import AuthError, Limited, Rejected, RemoteError, Unexpected, Unreachable
from reconciler.model.http import Request, Response, get
from reconciler.model.proxies import Proxy
from reconciler.model.redaction import Show, abridged
from reconciler.remote.answers import LONGEST, Excessive, MalformedResponse, describe, retry_after, soft_failure
from reconciler.remote.trouble import no_connection


class Again(Exception):
    """One try failed in a way that another may mend."""

    def __init__(self, reason: str, error: RemoteError | AuthError, delay: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error
        self.delay = delay


class Verdicts:
    """The meanings for one account. `host` is what it is called in messages, `show` takes secrets out of what it says,
    `hold(seconds)` lets all its requests wait, `proxy` is asked on the way to it.
    """

    def __init__(self, host: str, show: Show, hold: Callable[[float], object], proxy: Proxy | None) -> None:
        self._host, self._show, self._hold, self._proxy = host, show, hold, proxy

    def judge(self, request: Request, answer: Response) -> Response:
        """Return the answer if the request expects it, otherwise raise what it means."""
        status = answer.status
        if answer.ok:
            if request.method != "GET" and soft_failure(answer.body):
                raise Rejected(f"{request} was refused{self._because(answer)}", status=status)
            return answer
        if status == 429:
            text = f"{self._host} keeps answering 429: its rate limit is used up"
            limited = Limited(text, hint="lower `requests_per_second`, or try later")
            raise Again("limited", limited, retry_after(answer.headers))
        if status in (401, 403) and request.method == "GET":
            raise Again("forbidden", self._refused(request, f"({status}{self._because(answer)})"))
        if status in request.expect:
            return answer
        raise self._failed_on_server(request, answer) if status >= 500 else self._not_done(request, answer)

    def _failed_on_server(self, request: Request, answer: Response) -> Exception:
        """Return what a status from 500 on means. Only what is not a POST is sent again."""
        status, wait = answer.status, retry_after(answer.headers)
        text = f"{request} failed on the server ({status}{self._because(answer)})"
        error = Rejected(text, status=status, hint="try again later")
        if request.method != "POST":
            # Beyond the rate limit, some accounts answer 503 (row 54 of section 7): all requests wait.
            return Again("busy" if status == 503 else "server", error, wait)
        if status == 503:
            self._hold(wait or 2.0)  # the requests that look what became of it wait, too
        return error

    def _not_done(self, request: Request, answer: Response) -> Exception:
        """Return what a status below 500 means that is not expected and is not worth another try."""
        status, why = answer.status, f"({answer.status}{self._because(answer)})"
        if status == 401:
            return self._refused(get("/users/me"), why)
        if 300 <= status < 400:
            elsewhere = _origin(answer.headers.get("location", "elsewhere"))
            hint = "use the address it redirects to as `url`"
            return RemoteError(f"{self._host} redirects {request} to {elsewhere}", hint=hint)
        hint = "the user of the API key may lack the permission, or the account's plan the feature"
        return Rejected(f"{request} was refused {why}", status=status, hint=hint if status in (402, 403) else "")

    def _refused(self, request: Request, why: str) -> AuthError:
        if request.path == "/users/me":
            return AuthError(
                f"{self._host} does not accept the API key {why}",
                hint="check `token` and `url`: key and URL are shown together under Settings > Developer",
            )
        hint = "the user of the API key lacks the permission, or the account's plan the feature"
        return AuthError(f"{self._host} refuses {request} {why}", hint=hint)

    def lost(self, request: Request, error: Unreachable) -> Exception:
        """A lost answer to a POST is for the applier to settle; everything else can be sent again."""
        return error if request.method == "POST" else Again("lost", error)

    def garbled(self, request: Request, status: int, error: MalformedResponse) -> Exception:
        """Return what a body means that is not what the API sends: a POST may have been carried out."""
        if request.method == "POST" and 200 <= status < 300:
            return Unreachable(f"{request}: {error.message}", hint=error.hint, sent=True)
        if isinstance(error, Excessive):
            return Unexpected(f"{self._host}, {request}: {error.message}", hint=error.hint)
        return Again("garbled", RemoteError(f"{self._host}, {request}: {error.message}", hint=error.hint))

    def unconnected(self, error: Exception) -> Unreachable:
        """Return the error of a request that surely never left."""
        what, hint = no_connection(error, timed_out=isinstance(error, httpx.TimeoutException), proxy=self._proxy)
        return Unreachable(f"{self._host} cannot be reached: {what}", hint=hint, sent=False)

    def unanswered(self, request: Request, error: Exception) -> Unreachable:
        """Return the error of a request that may have been carried out."""
        timed_out = isinstance(error, httpx.TimeoutException)
        what = "no answer in time" if timed_out else self._show(str(error)) or type(error).__name__
        return Unreachable(
            f"{self._host}: the answer to {request} was lost ({what})",
            hint="check the network and try again; nothing is sent twice",
        )

    def _because(self, answer: Response) -> str:
        """Return what the account says of a failure, to be put behind its status."""
        shown = abridged(describe(answer.body), LONGEST, self._show)
        return f": {shown}" if shown else ""


def _origin(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "elsewhere"
