"""What an answer to an experiment says. Only one that the account gave to what it was asked does: who is forbidden to
ask, or asks where nothing is, or is answered by something in between, learns nothing of the way in which it works.
"""

from __future__ import annotations

from reconciler.model.http import Response
from reconciler.probe.unsettled import Unsettled

NO = (400, 409, 422)
"""Statuses with which an account says no to what a write says (section 1.6)."""
NO_PATH = (404, 405)
"""Statuses of a path that is not there."""
FORBIDDEN = (401, 402, 403)
INSIDE = "Client error: "
"""How the answer of a service behind the API begins: what it refused comes as 403 (section 1.6)."""


def refuses(reply: Response) -> bool:
    """Return whether an account said no to what a write says; False where it did it. Raises Unsettled for any other
    answer.
    """
    if reply.ok:
        return False
    inside = (
        reply.status == 403
        and message_of(reply).startswith(INSIDE)
        and any(f"`{word} " in message_of(reply) for word in NO)
    )
    if reply.status in NO or inside:
        return True
    raise unsettled(reply)


def lacks(reply: Response) -> bool:
    """Return whether an account has no such path; False where it does what was asked. Raises Unsettled for any other
    answer, also for one that misses an object and not the path.
    """
    if reply.ok:
        return False
    if reply.status in NO_PATH and not no_result(reply):
        return True
    raise unsettled(reply)


def done(reply: Response) -> Response:
    """Return the answer of a request that was carried out. Raises Unsettled for any other one."""
    if not reply.ok:
        raise unsettled(reply)
    return reply


def counted(reply: Response) -> int:
    """Return the total of a listing. Raises Unsettled where it cannot be read, or says none."""
    body = done(reply).body
    meta = body.get("meta") if isinstance(body, dict) else None
    total = str(meta.get("total")) if isinstance(meta, dict) else ""
    if not total.isdecimal():
        raise Unsettled(f"{shape(reply.request)} says no total")
    return int(total)


def missing(reply: Response) -> str:
    """Return the status with which an object is missed. Raises Unsettled for one that may have another reason."""
    if reply.ok or reply.status == 404 or no_result(reply):
        return str(reply.status)
    raise unsettled(reply)


def unsettled(reply: Response) -> Unsettled:
    """Return the error that an answer tells nothing, with its request and status."""
    return Unsettled(f"{shape(reply.request) or 'a request'} was answered {reply.status}, which tells nothing of it")


def message_of(reply: Response) -> str:
    """Return what an answer says in words."""
    message = reply.body.get("message") if isinstance(reply.body, dict) else None
    return message if isinstance(message, str) else ""


def no_result(reply: Response) -> bool:
    """Return whether the object is not there, rather than the path (section 1.6)."""
    return message_of(reply).startswith("No Result found")


def shape(path: str) -> str:
    """Return a path, or a request, without ids, for messages."""
    return "/".join("ID" if any(item.isdigit() for item in part) else part for part in path.split("/"))
