"""Listings: which there are, how long their pages are, what their totals are, how rows and arrays are written, and what
is hidden from the key. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.model.http import Response
from reconciler.probe.answers import FORBIDDEN, NO_PATH, done, lacks, refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.unsettled import Unsettled

WIDE = 500


@dataclass(frozen=True)
class Listing:
    """`total` is the type that its total is known to have: text, int, none."""

    path: str
    key: str
    total: str = "text"
    kind: str = ""


LISTINGS = (
    Listing("/tags", "tags", kind="tag"),
    Listing("/lists", "lists", kind="list"),
    Listing("/listGroups", "listGroups", kind="list"),
    Listing("/fields", "fields", kind="field"),
    Listing("/dealCustomFieldMeta", "dealCustomFieldMeta", "none", "deal_field"),
    Listing("/accountCustomFieldMeta", "accountCustomFieldMeta", "none", "account_field"),
    Listing("/dealGroups", "dealGroups", kind="pipeline"),
    Listing("/dealStages", "dealStages", kind="stage"),
    Listing("/dealRoles", "dealRoles", kind="deal_role"),
    Listing("/dealTasktypes", "dealTasktypes", kind="task_type"),
    Listing("/taskOutcomes", "taskOutcomes", kind="task_outcome"),
    Listing("/webhooks", "webhooks", kind="webhook"),
    Listing("/customObjects/schemas", "schemas", "int", "custom_object"),
    Listing("/groups", "groups", kind="user_group"),
    Listing("/users", "users", kind="user"),
    Listing("/addresses", "addresses", kind="address"),
    Listing("/calendars", "calendars", kind="calendar"),
    Listing("/savedResponses", "savedResponses", kind="saved_response"),
    Listing("/personalizations", "personalizations", kind="personalization"),
    Listing("/messages", "messages", kind="message"),
    Listing("/templates", "templates", kind="template"),
    Listing("/connections", "connections", kind="connection"),
    Listing("/eventTrackingEvents", "eventTrackingEvents", "int", "tracked_event"),
    Listing("/forms", "forms", kind="form"),
    Listing("/automations", "automations", kind="automation"),
    Listing("/campaigns", "campaigns", kind="campaign"),
    Listing("/scores", "scores", kind="score"),
    Listing("/contacts", "contacts", kind="contacts"),
    Listing("/deals", "deals", "int", kind="contacts"),
)
TOTALS = Fact("totals", 32, "totals are texts, and numbers in some listings", "as recorded", ("every kind",),
              changes="totals are read as either")  # fmt: skip
NO_TOTALS = Fact("meta_totals", 21, "listings of deal and account fields have no total", "none",
                 ("deal_field", "account_field"), changes="pages are read until one is short")  # fmt: skip
DEFAULT = Fact("page_default", 0, "a page has 20 rows where no `limit` is sent", "20", ("every kind",), "vendor",
               "a `limit` is always sent")  # fmt: skip
LARGEST = Fact("page_largest", 0, "a page has 100 rows at most", "100", ("every kind",), "vendor",
               "pages are read by what each one holds")  # fmt: skip
LIMIT = Fact("page_limit", 0, "a listing has as many rows as `limit` says, and takes one of 500", "honoured",
             ("every kind",), "vendor", "pages are read by what each one holds")  # fmt: skip
CHANNELS = Fact("exclusion_channels", 42, "exclusions of lists have one of four channels", "documented",
                ("list_exclusion",), "vendor", "they are read only")  # fmt: skip
ARRAYS = Fact("arrays", 53, "arrays are arrays", "lists", ("every kind",),
              changes="a map whose keys are numbers is read as an array")  # fmt: skip
TYPES = Fact("mixed_types", 0, "reads answer texts", "no", ("every kind",), changes="values are compared as texts")
REFUSED = Fact("forbidden", 0, "the key may read every kind", "none", ("every kind",), "vendor",
               "kinds that cannot be read are unknown, and never planned as empty")  # fmt: skip
MISSING = Fact("missing", 0, "the account has every endpoint", "none", ("every kind",), "vendor",
               "kinds without an endpoint are skipped")  # fmt: skip
SIDES = Fact("side_load_stages", 0, "stages come along with pipelines", "yes", ("stage",),
             changes="stages are listed on their own")  # fmt: skip
HIDDEN = Fact("hidden_pipelines", 0, "no pipeline hides its stages from the key", "none", ("stage", "pipeline"),
              "vendor", "stages are unknown; use the key of an Admin user")  # fmt: skip
GROUPS = Fact("field_groups", 11, "field groups are listed at /groupDefinitions, and at /groupMembers", "both",
              ("field_group", "field", "deal_field", "account_field"), "vendor",
              "they are read where they are listed, at once")  # fmt: skip
DOMAINS = Fact("site_domains", 28, "site domains are at /prism/urlWhitelistings", "new", ("site_domain",), "vendor",
               "the older path is used, which knows names only")  # fmt: skip
EVENTS = Fact("webhook_events", 25, "the account lists the events of webhooks, those of the create page too", "all",
              ("webhook",), "vendor", "events that are not listed are refused before a plan")  # fmt: skip
SEGMENTS = Fact("segments", 29, "segments are at /audiences and /segmentsV2", "new", ("segment",), "vendor",
                "segments cannot be managed")  # fmt: skip
LATER = ("contact_task_add", "account_add", "account_update", "account_contact_add", "account_contact_update")
"""Events that only the create page names."""


async def _listings(lab: Lab) -> Findings:
    replies, silent = {}, list[Unsettled]()
    for listing in LISTINGS:
        try:
            replies[listing] = await lab.get(listing.path)
        except Unsettled as error:  # the others are reported anyway
            silent.append(error)
    lab.reads |= {listing.path: reply for listing, reply in replies.items()}
    if not silent:
        yield "forbidden", _with_status(replies, *FORBIDDEN)
        yield "missing", _with_status(replies, *NO_PATH)
    readable = {listing: reply for listing, reply in replies.items() if reply.ok and _rows(reply, listing) is not None}
    for name, finding in _totals(readable):
        yield name, finding
    if (mixed := _mixed(readable)) is not None:
        yield "mixed_types", "yes" if mixed else "no"
    async for page in _pages(lab, readable):
        yield page
    if silent:
        raise silent[0]
    raise Unsettled("no listing of this account has more rows than a page, or none has two of them")


async def _pages(lab: Lab, readable: Mapping[Listing, Response]) -> Findings:
    """Yield how large pages are, as far as there are enough rows to tell."""
    counts = {listing: len(_rows(reply, listing) or ()) for listing, reply in readable.items()}
    honoured = await _unlimited(lab, [listing for listing, count in counts.items() if count > 1])
    long = [listing for listing, reply in readable.items() if longer(reply, listing)]
    sizes = {counts[listing] for listing in long if "ield" not in listing.path}
    largest = {await _largest(lab, listing) for listing in long} - {0}
    for name, value in (("page_limit", honoured), ("page_default", sizes), ("page_largest", largest)):
        if value:
            yield name, ", ".join(map(str, sorted(value)))


async def _unlimited(lab: Lab, listings: Iterable[Listing]) -> set[str]:
    """Return the paths of the listings that do not honour `limit`, "honoured" where all do; none where none tells."""
    limits = {listing.path: await _limited(lab, listing) for listing in listings}
    wrong = {path for path, limit in limits.items() if limit is False}
    return wrong or ({"honoured"} if any(limits.values()) else set())


def _with_status(replies: Mapping[Listing, Response], *statuses: int) -> str:
    return _named(listing.path for listing, reply in replies.items() if reply.status in statuses)


def _totals(readable: Mapping[Listing, Response]) -> Iterator[tuple[str, str]]:
    """Yield which listings have totals of another type than was recorded."""
    types = {listing: total_type(reply) for listing, reply in readable.items()}
    odd = [f"{listing.path}: {value}" for listing, value in types.items() if value != listing.total]
    meta = [line for line in odd if "CustomFieldMeta" in line]
    described = [listing for listing in types if "CustomFieldMeta" in listing.path]
    if len(described) == sum("CustomFieldMeta" in listing.path for listing in LISTINGS):
        yield "meta_totals", _named(meta)
    if len(types) > len(described):
        yield "totals", "; ".join(line for line in odd if line not in meta) or "as recorded"


async def _limited(lab: Lab, listing: Listing) -> bool | None:
    """Whether `limit` is honoured below what is there, and taken above: a few rows suffice to tell. None where an
    answer says nothing of it.
    """
    try:
        below = done(await lab.get(listing.path, limit="1"))
        above = await lab.get(listing.path, limit=str(WIDE))
        taken = not refuses(above)
    except Unsettled:
        return None
    return taken and len(_rows(below, listing) or ()) == 1 < len(_rows(above, listing) or ())


async def _exclusions(lab: Lab) -> Findings:
    reply = await lab.get("/lists/exclusions", limit="100")
    rows = reply.rows("exclusions") if reply.ok else []
    if not rows:
        raise Unsettled(
            "a probe makes no exclusions, for they concern people, and this account "
            + ("lists none" if reply.ok else f"answers {reply.status} to GET /lists/exclusions")
        )
    strange = {str(row.get("channel")) for row in rows} - {"all", "allSms", "allEmail", "several"}
    yield "exclusion_channels", "others" if strange else "documented"


async def _largest(lab: Lab, listing: Listing) -> int:
    """Return the most rows that a page has; 0 where all rows are on one page."""
    reply = await lab.get(listing.path, limit=str(WIDE))
    if not reply.ok or not longer(reply, listing):
        return 0
    lab.largest[listing.path] = len(_rows(reply, listing) or ())
    return lab.largest[listing.path]


async def _elsewhere(lab: Lab) -> Findings:
    """Listings whose paths the sources do not agree on; what one does not tell, the others do."""
    silent = None
    for name, ask in (("field_groups", _where_groups), ("site_domains", _where_domains),
                      ("webhook_events", _which_events), ("segments", _where_segments)):  # fmt: skip
        try:
            yield name, await ask(lab)
        except Unsettled as error:
            silent = error
    if silent is not None:
        raise silent


async def _where_groups(lab: Lab) -> str:
    here, there = [await lab.get(path) for path in ("/groupDefinitions", "/groupMembers")]
    present = [not lacks(reply) and "groupDefinitions" in _body(reply) for reply in (here, there)]
    if not any(present):
        raise Unsettled("field groups are listed at neither path")
    return _either(present[0], present[1], "definitions", "members")


async def _where_domains(lab: Lab) -> str:
    present = [not lacks(await lab.get(path)) for path in ("/prism/urlWhitelistings", "/siteTrackingDomains")]
    if not any(present):
        raise Unsettled("site domains are listed at neither path")
    return _either(present[0], present[1], "new", "old")


async def _which_events(lab: Lab) -> str:
    names = _body(done(await lab.get("/webhook/events"))).get("webhookEvents")
    if not isinstance(names, list):
        raise Unsettled("GET /webhook/events lists no events")
    return "all" if set(LATER) <= set(map(str, names)) else f"{len(names)}, those of the list only"


async def _where_segments(lab: Lab) -> str:
    if not lacks(await lab.get("/audiences")):
        return "new"
    return "none" if lacks(await lab.get("/segments")) else "old"


def _body(reply: Response) -> Mapping[str, Any]:
    """Return the members of an answer; none where it is refused, or not an object."""
    return reply.body if reply.ok and isinstance(reply.body, dict) else {}


def _either(first: bool, second: bool, path: str, other: str) -> str:
    return "both" if first and second else path if first else other


async def _pipelines(lab: Lab) -> Findings:
    reply = done(await lab.get("/dealGroups", limit="100"))
    pipelines = reply.rows("dealGroups")
    if not pipelines:
        raise Unsettled("the account shows no pipeline")
    sided = isinstance(reply.body, dict) and "dealStages" in reply.body
    yield "side_load_stages", "yes" if sided else "no"
    shown = {str(row.get("id")) for row in await lab.listed("/dealStages", "dealStages")}
    dark = [str(row["id"]) for row in pipelines if not {str(stage) for stage in row.get("stages") or ()} <= shown]
    yield "hidden_pipelines", ", ".join(dark) or "none"


async def _arrays(lab: Lab) -> Findings:
    if not done(await lab.get("/groups")).rows("groups"):
        raise Unsettled("the account shows no user group")
    yield "arrays", "maps" if lab.maps else "lists"


def _rows(reply: Response, listing: Listing) -> list[Any] | None:
    rows = reply.body.get(listing.key) if isinstance(reply.body, dict) else None
    return rows if isinstance(rows, list) else None


def total_type(reply: Response) -> str:
    """Return the JSON type of a listing's total."""
    total = _total(reply)
    return "none" if total is None else "int" if isinstance(total, int) else "text"


def _total(reply: Response) -> Any:
    meta = reply.body.get("meta") if isinstance(reply.body, dict) else None
    return meta.get("total") if isinstance(meta, Mapping) else None


def longer(reply: Response, listing: Listing) -> bool:
    """Return whether there are more rows than on this page."""
    total, rows = str(_total(reply)), len(_rows(reply, listing) or ())
    return rows > 0 and total.isdecimal() and int(total) > rows


def _mixed(replies: Mapping[Listing, Response]) -> bool | None:
    """Whether rows of a classic endpoint, all of whose values are recorded as texts, have others. User groups have some
    fifty flags. None where none is shown.
    """
    rows = next((reply.rows(listing.key) for listing, reply in replies.items() if listing.path == "/groups"), [])
    flags = [value for row in rows for name, value in row.items() if name.startswith("pg")]
    return any(isinstance(value, bool | int) for value in flags) if flags else None


def _named(paths: Iterable[str]) -> str:
    return ", ".join(sorted(paths)) or "none"


EXPERIMENTS = (
    Experiment("every listing", (REFUSED, MISSING, NO_TOTALS, TOTALS, TYPES, DEFAULT, LARGEST, LIMIT), _listings,
               6 * len(LISTINGS), writes=False),
    Experiment("exclusions of lists", (CHANNELS,), _exclusions, 3, writes=False),
    Experiment("listings with two paths", (GROUPS, DOMAINS, EVENTS, SEGMENTS), _elsewhere, 18, writes=False),
    Experiment("stages of pipelines", (SIDES, HIDDEN), _pipelines, 24, writes=False),
    Experiment("arrays", (ARRAYS,), _arrays, 3, writes=False),
)  # fmt: skip
