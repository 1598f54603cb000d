"""Schemas of custom objects (section 2.17)."""

from __future__ import annotations

from typing import Any

from reconciler.probe import asking
from reconciler.probe.answers import done, refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.means import Made
from reconciler.probe.unsettled import Unsettled

LOOKS = 12
GONE = "marked_for_deletion"
FLAG = Fact("schema_flag", 22, "a custom object's field is `required`, not `isRequired`", "required",
            ("custom_object",),
            "vendor", "either is read")  # fmt: skip
OMITTED = Fact("schema_put", 23, "fields that the PUT of a schema leaves out stay", "merge", ("custom_object",),
               "inferred", "all fields are sent along")  # fmt: skip
SLUG = Fact("schema_slug", 24, "the slug of a schema can be changed", "changes", ("custom_object",), "vendor",
            "this program creates the schema again in either case")  # fmt: skip
TYPE = Fact("schema_field_type", 24, "the type of a schema's field cannot be changed", "refused", ("custom_object",),
            "inferred",
            "this program refuses the change in either case")  # fmt: skip
DRY = Fact("validate_only", 0, "`validateOnly` checks and changes nothing", "dry", ("custom_object",), "vendor",
           "the server's dry run cannot be used")  # fmt: skip
UNIQUE = Fact("unique.schemas", 20, "slugs of schemas are unique", "yes", ("custom_object",), "vendor")
POLLS = Fact("deletion_polls", 0, "a deleted field of a schema is out of sight at the third look", "2",
             ("custom_object",), "inferred", "it is waited for")  # fmt: skip


async def _schemas(lab: Lab) -> Findings:
    fields = [_field("first", required=True), _field("second")]
    attrs = {"slug": lab.mark, "labels": {"singular": "Probe", "plural": "Probes"}, "fields": fields}
    created = await lab.make("schema", attrs)
    row = await lab.read(created)
    names = {name for field in row.get("fields") or () for name in field if name in ("required", "isRequired")}
    yield "schema_flag", " and ".join(sorted(names)) or "neither"
    yield "unique.schemas", await asking.repeats(lab, "schema", attrs)
    dry = {"schema": {**attrs, "labels": {"singular": "Dry", "plural": "Dries"}}}
    reply = await lab.change(created, dry, dry_run=True)
    unchanged = (await lab.read(created)).get("labels", {}).get("singular") == "Probe"
    yield "validate_only", "writes" if not unchanged else "refused" if refuses(reply) else "dry"
    if unchanged and reply.ok:
        other = await lab.change(created, {"schema": {**attrs, "slug": f"{lab.mark}-2"}}, dry_run=True)
        yield "schema_slug", "refused" if refuses(other) else "changes"
        typed = {**attrs, "fields": [{**fields[0], "type": "number"}, fields[1]]}
        reply = await lab.change(created, {"schema": typed}, dry_run=True)
        yield "schema_field_type", "refused" if refuses(reply) else "taken"
    reply = await lab.change(created, {"schema": {**attrs, "fields": fields[:1]}})
    if reply.ok:
        yield "schema_put", "merge" if "second" in await _fields(lab, created, {}) else "replace"
    yield "deletion_polls", await _looks(lab, created)


async def _looks(lab: Lab, created: Made) -> str:
    """Return how many looks still show a field that was deleted, marked or not; "more" where it stays. Raises Unsettled
    where one had no answer: it may have been one nevertheless.
    """
    before = lab.unanswered
    done(await lab.drop(created, "fields", "first"))
    for look in range(LOOKS):
        seen = await _fields(lab, created, {"showFields": "all"})
        if lab.unanswered > before:
            raise Unsettled("a look at the deleted field got no answer")
        if "first" not in seen:
            return str(look)
        await lab.sleep(0.5 * look)
    return "more"


async def _fields(lab: Lab, created: Made, query: dict[str, str]) -> set[str]:
    reply = done(await lab.ask(created.path, query))
    if not reply.row("schema"):
        raise Unsettled("the schema cannot be read")
    return {str(field.get("id")) for field in reply.row("schema").get("fields") or ()}


def _field(name: str, *, required: bool = False) -> dict[str, Any]:
    return {"id": name, "type": "text", "labels": {"singular": name, "plural": name}, "required": required}


EXPERIMENTS = (Experiment("schemas", (FLAG, UNIQUE, DRY, SLUG, TYPE, OMITTED, POLLS), _schemas, 30),)
