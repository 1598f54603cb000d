"""Event tracking, site tracking, tracked events and domains (sections 2.28, 2.29)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.answers import (
    Answer,
    Problem,
    Request,
    error,
    inner,
    invalid,
    no_result,
    nothing_here,
    refused,
)
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

ZULU = "%Y-%m-%dT%H:%M:%SZ"
DOMAINS = "urlWhitelistings"
FLAGS = ("tracking_enabled", "conversations_enabled", "wp_enabled")
FRESH: dict[str, list[Row]] = {
    "eventTracking": [{"id": "1", "enabled": False}],
    "siteTracking": [{"id": "1", "enabled": False}],
    "eventTrackingEvents": [{"name": "__pagevisit"}, {"name": "__redir"}],
}
PLAIN_TABLES = {"eventTracking": "id", "siteTracking": "id", "eventTrackingEvents": "name", DOMAINS: "id"}


def status(account: Account, request: Request) -> Answer | None:
    """GET and PUT of the two switches, and the snippet of site tracking."""
    name = request.parts[0]
    if request.method == "GET" and request.parts == ["siteTracking", "code"]:
        return Answer(200, b"<script>/* tracking */</script>", {"content-type": "text/html"})
    if len(request.parts) > 1 or request.method not in ("GET", "PUT"):
        return None
    row = account.rows.get(name, "1") or {"id": "1", "enabled": False}
    if request.method == "PUT" and "enabled" in inner(request.body, name):
        wanted = inner(request.body, name)["enabled"] in (True, 1, "1", "true")
        strict = name == "eventTracking" and account.settings.repeated_event_tracking == "error"
        if strict and wanted == row["enabled"]:
            raise invalid(error(f"Event tracking is already {'enabled' if wanted else 'disabled'}."))
        row = account.rows.put(name, "1", {**row, "enabled": wanted})
    return Answer(200, {name: {"enabled": row["enabled"]}})


def events(account: Account, request: Request) -> Answer | None:
    """Names are the identity: no ids, no update. Built-in names begin with two underscores."""
    parts, method = request.parts, request.method
    if len(parts) == 1 and method == "GET":
        rows = account.rows.all("eventTrackingEvents")
        page = [{"name": row["name"]} for row in classic.paged(account, rows, request.query)]
        return Answer(200, {"eventTrackingEvents": page, "meta": {"total": len(rows)}})
    if len(parts) == 1 and method == "POST":
        name = inner(request.body, "eventTrackingEvent").get("name")
        if not name:
            raise invalid(error("The eventTrackingEvent name was not provided.", "name", code="field_missing"))
        if account.rows.get("eventTrackingEvents", name) is not None:
            raise invalid(error("An event with this name already exists.", "name", code="duplicate"))
        account.rows.put("eventTrackingEvents", name, {"name": str(name)})
        return Answer(account.settings.created_status, {"eventTrackingEvent": {"name": name}})
    if len(parts) == 2 and method == "DELETE":
        if account.rows.get("eventTrackingEvents", parts[1]) is None:
            raise no_result("EventTrackingEvent", parts[1])
        if parts[1].startswith("__"):
            raise refused()  # inferred
        account.rows.remove("eventTrackingEvents", parts[1])
        return Answer(200, {})
    return None


def prism(account: Account, request: Request) -> Answer | None:
    """/prism/urlWhitelistings: JSON:API, 409 for what exists, 204 without a body for deletes."""
    parts, method = request.parts, request.method
    if parts[1:2] != [DOMAINS] or account.settings.site_domains == "old":
        raise nothing_here()
    if len(parts) == 2 and method == "GET":
        return Answer(200, {"data": [_resource(row, flags=int) for row in account.rows.all(DOMAINS)]})
    if len(parts) == 2 and method == "POST":
        data = request.body.get("data") if isinstance(request.body, dict) else None
        sent = data.get("attributes") if isinstance(data, dict) else None
        return Answer(201, {"data": _resource(_whitelist(account, sent if isinstance(sent, dict) else {}), flags=bool)})
    if len(parts) == 3 and method == "DELETE":
        if account.rows.get(DOMAINS, parts[2]) is None:
            raise nothing_here()
        account.rows.remove(DOMAINS, parts[2])
        return Answer(204)
    raise nothing_here()


def _whitelist(account: Account, sent: Row) -> Row:
    domain, page = str(sent.get("whitelisted_domain") or ""), str(sent.get("whitelisted_page") or "*")
    if not domain:
        title = "The whitelisted domain field is required."
        raise Problem(Answer(422, {"errors": [{"status": "422", "title": title, "detail": title}]}))
    if account.rows.where(DOMAINS, whitelisted_domain=domain, whitelisted_page=page):
        raise Problem(Answer(409, {"errors": [{"status": "409", "title": "Conflict", "detail": "Already exists"}]}))
    now = time.strftime(ZULU, account.now())
    defaults = {"tracking_enabled": True, "conversations_enabled": False, "wp_enabled": False}
    flags = {name: bool(sent.get(name, default)) for name, default in defaults.items()}
    identity = account.rows.next_id(DOMAINS, reuse=False)
    row = {"id": identity, "whitelisted_domain": domain, "whitelisted_page": page, **flags}
    return account.rows.put(DOMAINS, identity, {**row, "created_at": now, "updated_at": now})


def _resource(row: Row, *, flags: type[int]) -> Row:
    """Flags are numbers in lists and booleans in the answer of a create [OAS]."""
    domain, page = str(row["whitelisted_domain"]), str(row.get("whitelisted_page", "*"))
    tail = r"(\/.*)?" if page == "*" else re.escape(page)
    attributes: dict[str, Any] = {
        "whitelisted_domain": domain,
        "whitelisted_page": page,
        "url_regex": f"#^{re.escape(domain)}{tail}$#",
        **{name: flags(row.get(name, name == "tracking_enabled")) for name in FLAGS},
        "created_at": row.get("created_at"),
        "updated_at": row.get("updated_at"),
    }
    return {"type": DOMAINS, "id": str(row["id"]), "attributes": attributes}


def old_domains(account: Account, request: Request) -> Answer | None:
    """/siteTrackingDomains, the path before: by name (row 28 of section 7)."""
    parts, method = request.parts, request.method
    if account.settings.site_domains == "new":
        raise nothing_here()
    rows = [row for row in account.rows.all(DOMAINS) if row.get("whitelisted_page", "*") == "*"]
    if len(parts) == 1 and method == "GET":
        names = [{"name": row["whitelisted_domain"]} for row in classic.paged(account, rows, request.query)]
        return Answer(200, {"siteTrackingDomains": names, "meta": {"total": str(len(rows))}})
    if len(parts) == 1 and method == "POST":
        row = _whitelist(account, {"whitelisted_domain": inner(request.body, "siteTrackingDomain").get("name")})
        return Answer(200, {"siteTrackingDomain": {"name": row["whitelisted_domain"]}})
    if len(parts) == 2 and method == "DELETE":
        domain = next((row for row in rows if row["whitelisted_domain"] == parts[1]), None)
        if domain is None:
            raise no_result("SiteTrackingDomain", parts[1])
        account.rows.remove(DOMAINS, domain["id"])
        return Answer(204)
    return None


ROUTES = {
    "eventTracking": status,
    "siteTracking": status,
    "eventTrackingEvents": events,
    "prism": prism,
    "siteTrackingDomains": old_domains,
}
