"""How the things that an experiment makes are created, found again by name, and removed: data, so that a journal can
be cleaned without knowing what the experiment was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from reconciler.model.records import record
from reconciler.model.values import Json

MARK = "zz-probe-"
"""How the names of all that is made begin."""


@record
class ProbeForm:
    """`path` takes POST and, with the id, PUT and DELETE. `label` is the property that holds the name; relations have
    none, and `match` tells them apart. `key` is the array of the listing, `listing` its path (default: `path`) with
    `{name}` for what the create said; `query` likewise. `reads` maps what is written to what reads call it.

    `retire` is what is sent where it cannot be deleted; `deletes` are further paths that may know the delete. `along`
    are rows that come with it and may stay behind it: (path, array, property that names it).
    """

    name: str
    path: str
    wrapper: str
    key: str
    label: str = ""
    match: tuple[str, ...] = ()
    listing: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, str] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()
    retire: Mapping[str, Json] | None = None
    disables: bool = True
    """Whether what is left then is out of use for good; otherwise it is only made ready for another DELETE."""
    along: tuple[str, str, str] | None = None
    elsewhere: str = ""
    """Another path that may have the listing."""
    owner: str = ""
    """The property that names what it hangs on (see OWNERS): it goes with that, and is looked for nowhere else."""


FORMS: Mapping[str, ProbeForm] = {
    form.name: form
    for form in (
        ProbeForm("tag", "/tags", "tag", "tags", "tag"),
        ProbeForm("list", "/lists", "list", "lists", "name", query={"filters[channel]": "all"}),
        ProbeForm("list_group", "/listGroups", "listGroup", "listGroups", match=("listid", "groupid"),
             reads={"listid": "list", "groupid": "group"}, owner="listid"),
        ProbeForm("field", "/fields", "field", "fields", "title"),
        ProbeForm("option", "/fieldOptions", "fieldOption", "fieldOptions", match=("value",),
             listing="/fields/{field}/options", owner="field"),
        ProbeForm("relation", "/fieldRels", "fieldRel", "fieldRels", match=("relid",),
             listing="/fields/{field}/relations", owner="field"),
        ProbeForm("deal_field", "/dealCustomFieldMeta", "dealCustomFieldMetum", "dealCustomFieldMeta", "fieldLabel"),
        ProbeForm("account_field", "/accountCustomFieldMeta", "accountCustomFieldMetum", "accountCustomFieldMeta",
             "fieldLabel"),
        ProbeForm("field_group", "/groupDefinitions", "groupDefinition", "groupDefinitions", "label",
             elsewhere="/groupMembers"),
        ProbeForm("member", "/groupMembers", "groupMember", "groupMembers", match=("rel_id", "group_id"),
             query={"group_id": "{group_id}"}, owner="group_id"),
        ProbeForm("pipeline", "/dealGroups", "dealGroup", "dealGroups", "title",
             along=("/dealStages", "dealStages", "group")),
        ProbeForm("stage", "/dealStages", "dealStage", "dealStages", "title", query={"filters[d_groupid]": "{group}"},
             owner="group"),
        ProbeForm("deal_role", "/dealRoles", "dealRole", "dealRoles", "title"),
        ProbeForm("task_type", "/dealTasktypes", "dealTasktype", "dealTasktypes", "title", retire={"status": 1}),
        ProbeForm("task_outcome", "/taskOutcomes", "taskOutcome", "taskOutcomes", "title", deletes=("/taskOutccomes",)),
        ProbeForm("webhook", "/webhooks", "webhook", "webhooks", "name"),
        ProbeForm("schema", "/customObjects/schemas", "schema", "schemas", "slug"),
        ProbeForm("user_group", "/groups", "group", "groups", "title"),
        ProbeForm("address", "/addresses", "address", "addresses", "companyName", retire={"isDefault": False},
             disables=False),
        ProbeForm("saved_response", "/savedResponses", "savedResponse", "savedResponses", "title"),
        ProbeForm("message", "/messages", "message", "messages", "name"),
        ProbeForm("personalization", "/personalizations", "personalization", "personalizations", "name"),
        ProbeForm("contact", "/contacts", "contact", "contacts", "email", query={"email_like": "{email}"}),
        ProbeForm("field_value", "/fieldValues", "fieldValue", "fieldValues", match=("contact", "field"),
             owner="contact"),
        ProbeForm("contact_tag", "/contactTags", "contactTag", "contactTags", match=("contact", "tag"),
             owner="contact"),
    )
}  # fmt: skip
OWNERS: Mapping[str, str] = {
    "listid": "/lists", "field": "/fields", "group_id": "/groupDefinitions", "group": "/dealGroups",
    "contact": "/contacts",
}  # fmt: skip
"""Properties that name what something hangs on, and where that is."""
