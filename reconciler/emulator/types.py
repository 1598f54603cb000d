"""The classic types as a table: paths, wrapper keys, class names of error messages, and what their rows begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Type:
    """One classic endpoint. `total` is the type of `meta.total` (section 1.4); `sides` are arrays listed along with it;
    `defaults` are server defaults of a row; `names` maps what is written to what is read; `native` rows keep JSON
    types.
    """

    path: str
    one: str
    label: str
    total: Literal["text", "int", "none"] = "text"
    sides: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    native: bool = False
    computed: tuple[str, ...] = ("id", "cdate", "udate", "links")
    dated: bool = True
    deleted: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()


_P_LIST = {
    f"p_{name}": "0"
    for name in (
        "list_add list_edit list_delete list_sync list_filter message_add message_edit message_delete message_send "
        "subscriber_add subscriber_edit subscriber_delete subscriber_import subscriber_approve"
    ).split()
}
_LIST = {
    # Recorded on a fresh list (appendix B).
    "userid": "0",
    "p_use_tracking": "1",
    "send_last_broadcast": "0",
    "private": "0",
    "carboncopy": None,
    "subscription_notify": None,
    "unsubscription_notify": None,
    "to_name": "Subscriber",
    "sender_name": "",
    "sender_addr1": "",
    "sender_addr2": "",
    "sender_city": "",
    "sender_state": "",
    "sender_zip": "",
    "sender_country": "",
    "sender_phone": "",
    "fulladdress": None,
    "deletestamp": None,
    "user": None,
    "channel": "email",
    "created_by": None,
    "updated_by": None,
}
_META = {
    "fieldOptions": None,
    "fieldDefault": None,
    "fieldDefaultCurrency": None,
    "isFormVisible": 0,
    "isRequired": 0,
    "displayOrder": 1,
    "personalization": "",
    "knownFieldId": None,
    "hideFieldFlag": 0,
}
_STAGE = {
    "color": "3f3f3f",
    "width": "280",
    "dealOrder": "next-action DESC",
    "cardRegion1": "title",
    "cardRegion2": "next-action",
    "cardRegion3": "show-avatar",
    "cardRegion4": "contact-fullname-orgname",
    "cardRegion5": "value",
}

TYPES = {
    one.path: one
    for one in (
        Type(
            "tags",
            "tag",
            "Tag",
            defaults={"tagType": "contact", "description": "", "subscriber_count": "0", "created_by": None},
            computed=("id", "cdate", "subscriber_count"),
            required=("tag",),
        ),
        Type("lists", "list", "_List", defaults=_LIST, required=("name",)),
        Type(
            "listGroups",
            "listGroup",
            "ListGroup",
            defaults=_P_LIST,
            names={"listid": "list", "groupid": "group"},
            dated=False,
        ),
        Type(
            "fields",
            "field",
            "Field",
            sides=("fieldOptions", "fieldRels"),
            required=("title", "type"),
            defaults={
                "descript": None,
                "isrequired": "0",
                "defval": None,
                "show_in_list": "0",
                "rows": "0",
                "cols": "0",
                "visible": "1",
                "service": "",
                "created_by": None,
            },
        ),
        Type("fieldOptions", "fieldOption", "FieldOption", defaults={"orderid": "0", "isdefault": "0"}),
        Type("fieldRels", "fieldRel", "FieldRel", defaults={"dorder": "0"}),
        Type(
            "groupDefinitions",
            "groupDefinition",
            "GroupDefinition",
            total="none",
            native=True,
            dated=False,
            defaults={"created_by": 1, "updated_by": 1},
        ),
        Type("groupMembers", "groupMember", "GroupMember", total="none", native=True, dated=False),
        Type(
            "dealCustomFieldMeta",
            "dealCustomFieldMetum",
            "DealCustomFieldMeta",
            total="none",
            native=True,
            defaults=_META,
            dated=False,
            deleted={"message": "DealCustomFieldMeta deleted."},
            required=("fieldLabel", "fieldType"),
        ),
        Type(
            "accountCustomFieldMeta",
            "accountCustomFieldMetum",
            "AccountCustomFieldMeta",
            total="none",
            native=True,
            defaults=_META,
            dated=False,
            deleted={"message": "AccountCustomFieldMeta deleted."},
            required=("fieldLabel", "fieldType"),
        ),
        Type(
            "dealGroups",
            "dealGroup",
            "DealGroup",
            sides=("dealStages",),
            required=("title", "currency"),
            defaults={"allgroups": "1", "allusers": "0", "autoassign": "1", "win_probability_initialize_date": None},
        ),
        Type("dealStages", "dealStage", "DealStage", defaults=_STAGE, required=("title", "group")),
        Type("dealGroupUsers", "dealGroupUser", "DealGroupUser"),
        Type("dealGroupGroups", "dealGroupGroup", "DealGroupGroup"),
        Type("webhooks", "webhook", "Webhook", defaults={"listid": "0"}, required=("name", "url", "events", "sources")),
        Type("users", "user", "User", defaults={"phone": "", "signature": None, "mfaEnabled": "0"}),
        Type("groups", "group", "Group", defaults={"descript": None, "p_admin": "1"}),
        Type("contacts", "contact", "Contact"),
        Type("contactTags", "contactTag", "SubscriberTag"),
        Type("contactLists", "contactList", "ContactList"),
        Type("fieldValues", "fieldValue", "FieldValue"),
        Type("deals", "deal", "Deal", total="int"),
        Type("dealCustomFieldData", "dealCustomFieldDatum", "DealCustomFieldData", total="int", native=True),
        Type("accountCustomFieldData", "accountCustomFieldDatum", "AccountCustomFieldData", total="none", native=True),
    )
}

EVENTS = [
    "forward",
    "open",
    "share",
    "sent",
    "subscribe",
    "subscriber_note",
    "contact_tag_added",
    "contact_tag_removed",
    "unsubscribe",
    "update",
    "deal_add",
    "deal_note_add",
    "deal_pipeline_add",
    "deal_stage_add",
    "deal_task_add",
    "deal_task_complete",
    "deal_tasktype_add",
    "deal_update",
    "bounce",
    "reply",
    "click",
    "list_add",
    "sms_reply",
    "sms_sent",
    "sms_unsub",
    "contact_task_add",
    "account_add",
    "account_update",
    "account_contact_add",
    "account_contact_update",
]
"""What GET /webhook/events answers: the published list and the five that only the create page names (section 2.16)."""

WRITABLE = [path for path in TYPES if path not in ("contacts", "contactTags", "contactLists", "fieldValues", "deals")]
