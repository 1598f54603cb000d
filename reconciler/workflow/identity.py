"""Is this the right account? Host, `/users/me`, `/settings/account` and the state have to agree with the project file.

Until they do, nothing but these two reads is sent.
"""

from __future__ import annotations

from reconciler.model.errors import AuthError, StateError
from reconciler.model.http import Remote, Request, get
from reconciler.model.state import State
from reconciler.workflow.session import Session

VENDOR_DOMAINS = ("api-us1.com", "activehosted.com")
"""Where the first label of the host is the account's name (section 1.1 of the API page)."""


def account_requests(session: Session) -> int:
    """Return how many requests `check_account` sends."""
    return 2 if session.settings.account else 0


def account_name(session: Session) -> str:
    """Return what people call the account: the name in the project file, else what its address says."""
    label, _, domain = session.identity.partition("/")[0].partition(".")
    return session.settings.account or (label if domain in VENDOR_DOMAINS else session.identity)


async def check_account(session: Session, remote: Remote, state: State | None) -> None:
    """Refuse to go on against another account than the project and the state say. Raises AuthError or StateError."""
    if state is not None and state.account and state.account != session.identity:
        raise StateError(
            f"the state at {session.store.where} belongs to {state.account}, not to {session.identity}",
            hint="give this environment a state of its own (`state:`), or correct its `url`",
        )
    wanted = session.settings.account
    if not wanted:
        return
    label, _, domain = session.identity.partition("/")[0].partition(".")
    await remote.send(get("/users/me"))
    names, why = await _names(remote)
    if not names:
        _agree(session, wanted, {label}, f" ({why}, so the host decides)")
        return
    _agree(session, wanted, names)
    if domain in VENDOR_DOMAINS and label not in names:
        _agree(session, wanted, {label}, " (its host says so, /settings/account says otherwise)")


async def _names(remote: Remote) -> tuple[set[str], str]:
    """Return what the account calls itself, or why it does not: only an Admin's key may ask (section 1.2 of the API
    page), and the path is not in the vendor's OpenAPI file, so that it may be missing.
    """
    try:
        answer = await remote.send(Request("GET", "/settings/account", expect=(404,)))
    except AuthError:
        return set(), "its key may not read /settings/account"
    body = answer.body if answer.ok and isinstance(answer.body, dict) else {}
    return {str(body[key]) for key in ("account", "cname") if body.get(key)}, "/settings/account does not say its name"


def _agree(session: Session, wanted: str, names: set[str], how: str = "") -> None:
    if wanted not in names:
        raise AuthError(
            f"this is the account {' / '.join(sorted(names))}{how}, "
            f"and the environment `{session.settings.name}` is for {wanted}",
            hint="check `url`, `token` and `account` in reconciler.yaml; nothing else was read, nothing was written",
        )
