"""Contact fields, their options and relations (sections 2.1 to 2.3)."""

from __future__ import annotations

import re

from reconciler.model.http import at
from reconciler.probe import asking
from reconciler.probe.answers import NO_PATH, done, lacks, refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.forms import FORMS
from reconciler.probe.lab import Lab
from reconciler.probe.means import BULK, Made
from reconciler.probe.unsettled import Unsettled

LONG = 21
"""Rows that are more than the shorter of two pages."""
MANY = 101
BODY = Fact(
    "field_body", 2, "POST /fields answers the field, not a list", "field", ("field",), changes="either is read"
)
REQUIRED = Fact("field_required", 18, "`isrequired` of a field is taken and returned", "taken", ("field",))
ORDER = Fact("field_order_on_create", 0, "`ordernum` is ignored on create", "ignored", ("field",), "recording",
             "the order is sent with the create, and not once more")  # fmt: skip
TAG = Fact("perstag_given", 19, "a personalization tag that is given loses blanks and symbols", "stripped", ("field",))
DERIVED = Fact("perstag_derived", 19, "one that is made of the title has underscores", "underscores", ("field",),
               "vendor", "a field is found by the tag that the account made, once it was read")  # fmt: skip
FOREIGN = Fact("perstag_foreign", 19, "a title without Latin letters makes an empty tag", "", ("field",), "nothing")
SAME_TAG = Fact("unique.perstags", 20, "two fields may have one personalization tag", "no", ("field",), "nothing")
SAME_TITLE = Fact("unique.field_titles", 20, "titles of fields are unique", "yes", ("field",), "vendor")
TITLE_CASE = Fact("case.field", 20, "titles that differ by case only are two", "two", ("field",), "nothing")
RETYPED = Fact("field_type", 17, "PUT changes a field's type", "changes", ("field",), "vendor",
               "the field is created again in either case: what becomes of values, no request tells")  # fmt: skip
INLINE = Fact(
    "inline_options", 39, "options cannot be sent with the create of a field", "ignored", ("field",), "vendor"
)
NUMBER = Fact("field_number", 41, "contact fields may be numbers", "taken", ("field",), "vendor", "use `text`")
BULK_PATH = Fact("option_bulk", 55, "options are created at /fieldOption/bulk, and at /fieldOptions/bulk", "both",
                 ("field",), "client", "the one that works is used at once")  # fmt: skip
SINGULAR = Fact("option_bulk_singular", 47, "options are created at /fieldOption/bulk", "yes", ("field",), "recording",
                "the other spelling is used")  # fmt: skip
BULK_OPTIONS = Fact("bulk_options", 45, "more options are added to those that are there", "append", ("field",),
                    "nothing",
                    "all options are sent each time")  # fmt: skip
SAME_OPTION = Fact("unique.options", 20, "two options may have one value", "no", ("field",), "nothing")
ONE_OPTION = Fact("single_option", 48, "POST /fieldOptions does not create one option", "no", ("field",), "client")
DELETED = Fact(
    "option_delete", 0, "DELETE of an option answers an empty body", "empty", ("field",), changes="either is read"
)
SAME_RELATION = Fact("unique.fieldRels", 20, "a relation to a list may be there twice", "no", ("field",), "nothing")
PAGE_SIZE = Fact("field_page", 3, "a page of fields has 20 rows where no `limit` is sent", "20",
            ("field", "deal_field", "account_field"), "client", "a `limit` is always sent")  # fmt: skip
CAP = Fact("cap_limit", 0, "a page has 100 rows at most", "100", ("every kind",), "vendor",
           "pages are read by what each one holds")  # fmt: skip


async def _fields(lab: Lab) -> Findings:
    attrs = {"title": lab.name("Text field"), "type": "text", "descript": "kept", "isrequired": 1, "ordernum": 987}
    created = await lab.make("field", attrs)
    yield "field_body", "field" if created.row else "list"
    row = await lab.read(created)
    yield "field_required", "taken" if str(row.get("isrequired")) in ("1", "True") else "ignored"
    yield "field_order_on_create", "kept" if str(row.get("ordernum")) == "987" else "ignored"
    yield "perstag_derived", _derived(str(row.get("perstag") or ""), str(attrs["title"]))
    yield (
        "put.field",
        await asking.merges(lab, created, {"title": lab.name("Text field 2"), "type": "text"}, "descript"),
    )
    same = {"title": lab.name("Text field 2"), "type": "text"}
    yield "empty.field", await asking.clears(lab, created, "descript", "", also=same)
    yield "null.field", await asking.clears(lab, created, "descript", None, also=same)
    yield "unique.field_titles", await asking.repeats(lab, "field", same)
    upper = {"title": lab.name("TEXT FIELD 2"), "type": "text"}
    yield "case.field", "two" if await asking.repeats(lab, "field", upper) == "no" else "one"
    reply = await lab.put(created, **{**same, "type": "textarea"})
    changes = not refuses(reply) and (await lab.read(created)).get("type") == "textarea"
    yield "field_type", "changes" if changes else "keeps"


def _derived(tag: str, title: str) -> str:
    """Return in which way a tag was made of a title."""
    ways = {
        "underscores": re.sub(r"[^A-Z0-9_]", "", title.upper().replace(" ", "_")),
        "stripped": re.sub(r"[^A-Z0-9_]", "", title.upper()),
    }
    return next((way for way, created in ways.items() if tag == created), "other" if tag else "empty")


async def _tags(lab: Lab) -> Findings:
    given = {"title": lab.name("tagged"), "type": "number", "perstag": f"{lab.mark} Tag (1)"}
    reply, created = await lab.attempt("field", given)
    yield "field_number", "refused" if refuses(reply) else "taken"
    if created is None:
        created = await lab.make("field", {**given, "type": "text"})
    tag = str((await lab.read(created)).get("perstag") or "")
    yield "perstag_given", _derived(tag, str(given["perstag"]))
    yield "unique.perstags", await asking.repeats(lab, "field", {**given, "type": "text", "title": lab.name("twin")})
    _, foreign = await lab.attempt("field", {"title": lab.name("日本語"), "type": "text"})
    if foreign is not None:
        yield "perstag_foreign", _derived(str((await lab.read(foreign)).get("perstag") or ""), lab.name("日本語"))


async def _options(lab: Lab) -> Findings:
    created = await lab.make("field", {"title": lab.name("choices"), "type": "dropdown", "options": "x||y"})
    inline = await _values(lab, created)
    yield "inline_options", "taken" if inline else "ignored"
    works = await _bulk_paths(lab, created)
    spelled = {BULK: "both", BULK[:1]: "singular", BULK[1:]: "plural"}.get(tuple(works))
    if spelled is None:
        raise Unsettled("options are created at neither path")
    yield "option_bulk", spelled
    yield "option_bulk_singular", "no" if spelled == "plural" else "yes"
    done(await lab.bulk(works[0], created, [f"{lab.mark} first"]))
    done(await lab.bulk(works[0], created, [f"{lab.mark} second"]))
    values = await _values(lab, created)
    yield "bulk_options", "append" if f"{lab.mark} first" in values else "replace"
    twice = refuses(await lab.bulk(works[0], created, [f"{lab.mark} second"]))
    same = 1 if twice else (await _values(lab, created)).count(f"{lab.mark} second")
    gone = Unsettled("options that are sent replace those that are there")
    yield "unique.options", gone if f"{lab.mark} first" not in values else "no" if same > 1 else "yes"
    single = {"field": created.id, "value": f"{lab.mark} single", "label": "single"}
    reply, _ = await lab.attempt("option", single)
    yield "single_option", "no" if reply.status in NO_PATH or refuses(reply) else "yes"
    reply = await lab.get(at("/fields", created.id))
    rows = reply.rows("fieldOptions")
    if rows:
        own = lab.adopt(created, "option", str(rows[0]["id"]))
        answer = await lab.drop(own)
        yield "option_delete", "refused" if refuses(answer) else "empty" if answer.body is None else "object"
    yield "cap_limit", await _cap(lab, created, works[0])


async def _bulk_paths(lab: Lab, created: Made) -> list[str]:
    """Return the paths at which options are created."""
    works = []
    for number, path in enumerate(BULK):
        reply = await lab.bulk(path, created, [f"{lab.mark} {number}"])
        works += [path] if not lacks(reply) and reply.rows("fieldOptions") else []
    return works


async def _values(lab: Lab, created: Made) -> list[str]:
    reply = await lab.get(at("/fields", created.id))
    if not reply.ok or not isinstance(reply.body, dict) or "fieldOptions" not in reply.body:
        raise Unsettled("options do not come along with a field")
    return [str(row.get("value")) for row in reply.rows("fieldOptions")]


async def _cap(lab: Lab, created: Made, path: str) -> str:
    """Return the most rows of a page, of a listing that has some more than a hundred for one request."""
    done(await lab.bulk(path, created, [f"{lab.mark} {number:03}" for number in range(MANY)]))
    reply = await lab.get(at("/fields", created.id, "options"), limit=str(MANY))
    if not reply.ok:
        raise Unsettled(f"options of a field have no listing ({reply.status})")
    rows = len(reply.rows("fieldOptions"))
    return "more" if rows >= MANY else str(rows)


async def _relations(lab: Lab) -> Findings:
    created = await lab.make("field", {"title": lab.name("on all lists"), "type": "text"})
    await lab.make("relation", {"field": created.id, "relid": "0"})
    yield "unique.fieldRels", await asking.repeats(lab, "relation", {"field": created.id, "relid": "0"})


async def _page(lab: Lab) -> Findings:
    """As many fields as are more than the shorter page; those that are there count."""
    there = len(await lab.listed("/fields", "fields"))
    for number in range(max(0, LONG - there)):
        await lab.make("field", {"title": lab.name(f"filler {number}"), "type": "text"})
    reply = done(await lab.get(FORMS["field"].path))
    rows, total = len(reply.rows("fields")), max(there, LONG)
    yield "field_page", str(rows) if rows < total else "100" if total <= 100 else "all"


EXPERIMENTS = (
    Experiment("fields",
               (BODY, REQUIRED, ORDER, DERIVED, asking.merging("field", "field"), *asking.clearing("field", "field"),
                SAME_TITLE, TITLE_CASE, RETYPED), _fields, 22),
    Experiment("personalization tags", (NUMBER, TAG, SAME_TAG, FOREIGN), _tags, 10),
    Experiment("options",
               (INLINE, BULK_PATH, SINGULAR, BULK_OPTIONS, SAME_OPTION, ONE_OPTION, DELETED, CAP), _options, 20),
    Experiment("relations", (SAME_RELATION,), _relations, 6),
    Experiment("pages of fields", (PAGE_SIZE,), _page, 3 + 2 * LONG, held=4 * LONG),
)  # fmt: skip
