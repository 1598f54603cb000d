"""Whether a probe may write to an account: no production account, and the key of an Admin user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AuthError, Refused
from reconciler.model.http import Request, at
from reconciler.workflow.observation.observing import ask_eyes
from reconciler.workflow.opening.session import Session

ADMIN_GROUP = "3"
PLAN = ("status", "trial", "subscriber_limit")
_PLAIN = re.compile(r"[A-Za-z]{1,16}|-?[0-9]{1,12}", re.ASCII)
"""A flag, a number, a status in one word: what a report repeats of an account's plan is not a text about a person."""
_FLAG = re.compile(r"pg[A-Za-z]{1,40}", re.ASCII)


def check_sandbox(session: Session) -> None:
    """Raise Refused for an account that a probe must not write to."""
    if production := session.production:
        raise Refused(
            f"{production}: a probe makes and removes objects; nothing was written",
            hint="probe a sandbox and name it with `facts: NAME`; here, `probe --read-only` asks what reads can tell",
        )


async def about_account(line: Any) -> dict[str, Any]:
    """Return the account's plan and the key's permissions: numbers and flags, nothing of people. Raises AuthError for a
    key that the account does not accept: to it, every answer is a refusal, and would be taken for its way.
    """
    eyes = await ask_eyes(line)
    if not eyes.group:
        await line.send(Request("GET", "/users/me", expect=(404,)))
    reply = await _asked(line, "/settings/account")
    body = reply.body if reply is not None and isinstance(reply.body, dict) else {}
    plan = {name: body[name] for name in PLAN if _PLAIN.fullmatch(str(body.get(name, "")))}
    flags: Mapping[str, Any] = {}
    if eyes.group:
        group = await _asked(line, at("/groups", eyes.group))
        flags = group.row("group") if group is not None else {}
    off = sorted(name for name, value in flags.items() if _FLAG.fullmatch(name) and str(value) in ("0", "False"))
    admin = "yes" if body else "unknown" if eyes.group == ADMIN_GROUP and reply is not None else "no"
    return {"plan": plan, "permissions": {"user_group": _number(eyes.group), "admin": admin, "flags_off": off}}


def _number(text: str) -> str:
    return text if text.isdecimal() else ""


async def _asked(line: Any, path: str) -> Any:
    """Return an answer; None where the key may not ask."""
    try:
        return await line.send(Request("GET", path, expect=(404,)))
    except AuthError:
        return None


def check_admin(about: Mapping[str, Any]) -> None:
    """Raise unless the key is of an Admin user: others may make what they cannot see or remove."""
    if about["permissions"]["admin"] == "no":
        raise AuthError(
            "the key's user is not an Admin: what a probe makes might stay hidden from it; nothing was written",
            hint="use the key of an Admin user, or `probe --read-only`",
        )
