"""The account itself (sections 1.2, 2.35)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.answers import Answer, Request, refused

if TYPE_CHECKING:
    from reconciler.emulator.account import Account


def settings(account: Account, request: Request) -> Answer | None:
    """GET /settings/account, admins only, without a wrapper [AE-llms]."""
    if request.method != "GET" or request.parts[1:] != ["account"]:
        return None
    if not account.settings.admin:
        raise refused()
    owner = account.rows.get("users", "1") or {}
    return Answer(
        200,
        {
            "account": account.settings.account,
            "email": owner.get("email", ""),
            "first_name": owner.get("firstName", ""),
            "last_name": owner.get("lastName", ""),
            "cname": "",
            "status": "active",
            "subscriber_limit": 10_000,
            "subscriber_total": account.rows.count("contacts"),
            "trial": False,
            "credits": None,
            "branding": True,
        },
    )


ROUTES = {"settings": settings}
