"""Field groups and their members (section 2.4)."""

from __future__ import annotations

from reconciler.model.http import at
from reconciler.probe import asking
from reconciler.probe.answers import refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.means import Made
from reconciler.probe.unsettled import Unsettled

CONTACT = 1
FAR = 7
FORM = Fact("field_group_form", 12, "a field group is created with a JSON body", "json", ("field_group",), "inferred")
PATH = Fact("member_path", 10, "/groupMembers/{id} takes the membership's id", "member", ("field_group",), "inferred")
ORDER = Fact("member_order", 56, "a member of a field group keeps its number", "given", ("field_group", "field"),
             "vendor", "only the order of members is compared")  # fmt: skip
MANY = Fact("field_memberships", 57, "a field can be in several field groups", "many", ("field_group", "field"),
            "inferred", "a field that joins another group leaves the one before")  # fmt: skip
TWICE = Fact("unique.groupMembers", 20, "a field may be in a group twice", "no", ("field_group", "field"), "nothing")


async def _groups(lab: Lab) -> Findings:
    group = await _group(lab, "group 1")
    yield "field_group_form", "json" if group.row.get("label") == lab.name("group 1") else "other"
    yield "put.field_group", await asking.merges(lab, group, {"label": lab.name("group")}, "type_id")
    field = await lab.make("field", {"title": lab.name("member"), "type": "text"})
    member = await lab.make("member", {"rel_id": field.id, "group_id": group.id, "ordernum": FAR})
    mine = next((row for row in await _members(lab, group) if str(row.get("id")) == member.id), None)
    if mine is None:
        raise Unsettled("the members of a field group are not listed")
    yield "member_order", "given" if str(mine.get("ordernum")) == str(FAR) else "dense"
    taken = [base.id for base in (member, group) if await _is_at(lab, base.id, field)]
    nowhere = Unsettled("the membership is read at neither id")
    yield "member_path", nowhere if not taken else "member" if member.id in taken else "group"
    other = await _group(lab, "group 2")
    await lab.make("member", {"rel_id": field.id, "group_id": other.id, "ordernum": 1})
    still = await _memberships(lab, group, field)
    yield "field_memberships", "many" if still else "one"
    if still:
        reply, _ = await lab.attempt("member", {"rel_id": field.id, "group_id": group.id, "ordernum": FAR + 1})
        again = await _memberships(lab, group, field)
        yield "unique.groupMembers", "yes" if refuses(reply) or again < 2 else "no"
    else:
        yield "unique.groupMembers", Unsettled("a field is in one field group at a time")


async def _group(lab: Lab, name: str) -> Made:
    return await lab.make("field_group", {"label": lab.name(name), "ordernum": 99, "groupType": CONTACT})


async def _is_at(lab: Lab, identity: str, field: Made) -> bool:
    """Return whether the membership of a field is read at /groupMembers/{id}."""
    reply = await lab.get(at("/groupMembers", identity))
    return reply.ok and str(reply.row("groupMember").get("rel_id")) == field.id


async def _memberships(lab: Lab, group: Made, field: Made) -> int:
    """Return how often a field is in a group."""
    return sum(str(row.get("rel_id")) == field.id for row in await _members(lab, group))


async def _members(lab: Lab, group: Made) -> list[dict[str, object]]:
    rows = await lab.listed("/groupMembers", "groupMembers", {"group_id": group.id})
    return [row for row in rows if str(row.get("group_id")) == group.id]


EXPERIMENTS = (
    Experiment("field groups", (FORM, asking.merging("field_group", "field_group"), PATH, ORDER, MANY, TWICE), _groups,
               26, held=30),
)  # fmt: skip
