"""What the vendor's OpenAPI file gets wrong or leaves out, transcribed from recorded traffic and official prose.

Each entry says why. Tags: [CAS-MH], [CAS-AY] recorded traffic; [OAS] the file itself (its examples or `links`);
[DOC] official pages; [TAP], [ACMCP] clients in production; [SEED] the vendor's example requests.
Keep it short: an entry is a claim about the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.openapi_facts import Shape


@dataclass(frozen=True, slots=True)
class Correction:
    """Operations that exist, query names, and a body that is added to (or `replaces`) the documented one."""

    why: str
    methods: Sequence[str]
    path: str
    query: Sequence[str] = ()
    body: Shape = None
    replaces: bool = False


def _names(text: str) -> dict[str, Shape]:
    return dict.fromkeys(text.split())


_SENDER = "sender_name sender_addr1 sender_addr2 sender_city sender_state sender_zip sender_country sender_phone"
_LIST = _names(
    "name stringid sender_url sender_reminder channel send_last_broadcast carboncopy subscription_notify "
    "unsubscription_notify user " + _SENDER
)
_RETURNED_FLAGS = _names(
    "pgReportsDeal pgAccountAdd pgAccountEdit pgAccountDelete pgAccountManageCustomField pgDealFields pgMfaAdmin "
    "pgDealExport pgDealManageRoles pgAccountNoteAdd pgAccountNoteEdit pgAccountNoteDelete pgDealNoteAdd "
    "pgDealNoteEdit pgDealNoteDelete pgDealListAll pgContactResubscribe pgDealImport pgAccountImport "
    "pgAccountExport pgTagManage"
)
_LABELS = _names("singular plural")
_ADDRESS = _names("companyName address1 address2 isDefault")
_SEGMENT: Shape = {
    "data": [
        {
            "attributes": {
                **_names("name description segment_condition_group_operator meta"),
                "segment_condition_groups": [{**_names("id operator"), "values": [_names("id type")]}],
                "segment_conditions": [
                    {
                        **_names("id object_type source_system field_aggregate"),
                        "fields": [_names("name operator value data_type external")],
                    }
                ],
            }
        }
    ]
}
_SCHEMA_FIELD: dict[str, Shape] = {
    **_names("required description scale defaultCurrency origin"),
    "labels": _LABELS,
    "options": [_names("id value")],
}

CORRECTIONS: tuple[Correction, ...] = (
    # Contact fields
    Correction(
        "[CAS-MH] writes and reads it, [SEED] sends it; [OAS] dropped it",
        ["POST"],
        "/fields",
        body={"field": _names("isrequired")},
    ),
    Correction("idem", ["PUT"], "/fields/{id}", body={"field": _names("isrequired")}),
    Correction("`offset` beside the documented `limit` [DOC pagination]", ["GET"], "/fields", query=["offset"]),
    Correction("[CAS-MH] recorded", ["GET", "DELETE"], "/fieldOptions/{id}"),
    Correction(
        "the second spelling, of the vendor's own client since 0.11 [ACMCP]",
        ["POST"],
        "/fieldOptions/bulk",
        body={"fieldOptions": [_names("field value label orderid isdefault")]},
    ),
    Correction("[CAS-MH] recorded", ["GET"], "/fieldRels/{id}"),
    Correction("named by `links` of a field [CAS-MH]", ["GET"], "/fields/{id}/options"),
    Correction("named by `links` of a field [CAS-MH]", ["GET"], "/fields/{id}/relations"),
    # Field groups
    Correction(
        "[OAS] declares the body as text and its properties as query parameters; a JSON body like every other type",
        ["POST"],
        "/groupDefinitions",
        body={"groupDefinition": _names("label ordernum groupType")},
        replaces=True,
    ),
    Correction("named by `links` of a group member [OAS]", ["GET"], "/groupDefinitions"),
    Correction("named by `links`; update and delete assumed from it", ["GET", "DELETE"], "/groupDefinitions/{id}"),
    Correction("idem", ["PUT"], "/groupDefinitions/{id}", body={"groupDefinition": _names("label ordernum")}),
    Correction("`links` name /groupMembers?group_id=22 [OAS]", ["GET"], "/groupMembers", query=["group_id"]),
    # Deal and account fields
    Correction(
        "[CAS-MH] accepted on create; returned by reads",
        ["PUT"],
        "/dealCustomFieldMeta/{id}",
        body={"dealCustomFieldMetum": _names("isRequired")},
    ),
    Correction(
        "returned by reads [OAS]; the twin of deal fields",
        ["POST"],
        "/accountCustomFieldMeta",
        body={"accountCustomFieldMetum": _names("isRequired")},
    ),
    Correction("idem", ["PUT"], "/accountCustomFieldMeta/{id}", body={"accountCustomFieldMetum": _names("isRequired")}),
    Correction("named by `links` [CAS-MH]", ["GET"], "/dealCustomFieldMeta/{id}/dealCustomFieldData"),
    Correction("named by `links` [OAS]", ["GET"], "/accountCustomFieldMeta/{id}/accountCustomFieldData"),
    Correction(
        "unverified filter; callers compare with the unfiltered total",
        ["GET"],
        "/dealCustomFieldData",
        query=["filters[customFieldId]"],
    ),
    Correction("idem", ["GET"], "/accountCustomFieldData", query=["filters[customFieldId]"]),
    # Pipelines
    Correction("[TAP] reads it; named by `links` [CAS-MH]", ["GET"], "/dealGroupUsers"),
    Correction("[TAP] reads it; named by `links` [CAS-MH]", ["GET"], "/dealGroupGroups"),
    Correction("named by `links` [CAS-MH]", ["GET"], "/dealGroups/{id}/dealGroupUsers"),
    Correction("named by `links` [CAS-MH]", ["GET"], "/dealGroups/{id}/dealGroupGroups"),
    Correction("named by `links` [CAS-MH]", ["GET"], "/dealGroups/{id}/stages"),
    # Lists
    Correction(
        "the vendor's own client [ACMCP] sends it; without it only lists for e-mail may be shown",
        ["GET"],
        "/lists",
        query=["filters[channel]"],
    ),
    Correction(
        "[CAS-AY] recorded, [ACMCP] and the vendor's own MCP tool use it", ["PUT"], "/lists/{id}", body={"list": _LIST}
    ),
    Correction(
        "read back by recordings [CAS-AY]; required by the older API",
        ["POST"],
        "/lists",
        body={"list": _names(_SENDER)},
    ),
    Correction("[CAS-AY] recorded", ["GET"], "/listGroups"),
    Correction("[CAS-AY] recorded", ["GET", "DELETE"], "/listGroups/{id}"),
    # Custom objects: the examples know more than the schema
    Correction(
        "`required` is what examples send; `isRequired` what the schema says [OAS]",
        ["POST"],
        "/customObjects/schemas",
        body={"schema": {"fields": [_SCHEMA_FIELD]}},
    ),
    Correction("idem", ["POST"], "/customObjects/schemas/public", body={"schema": {"fields": [_SCHEMA_FIELD]}}),
    Correction(
        "idem; an option keeps its id when the id is sent back",
        ["PUT"],
        "/customObjects/schemas/{id}",
        body={"schema": {"fields": [_SCHEMA_FIELD]}},
    ),
    Correction(
        "[OAS]'s schema makes `relationships` an array; its examples, of requests and of answers, an object by name",
        ["POST"],
        "/customObjects/records/{id}",
        body={"record": {**_names("id externalId schemaId relationships"), "fields": [_names("id value")]}},
        replaces=True,
    ),
    # Deal roles and tasks
    Correction("[OAS] forgot the wrapper", ["POST"], "/dealRoles", body={"dealRole": _names("title")}, replaces=True),
    Correction("named by `links` [OAS]", ["GET"], "/dealRoles/{id}/contactDeals"),
    Correction(
        "[OAS] misspells the path: /taskOutccomes",
        ["PUT"],
        "/taskOutcomes/{id}",
        body={"taskOutcome": _names("title sentiment disabled")},
    ),
    Correction("idem", ["DELETE"], "/taskOutcomes/{id}"),
    # Accounts, groups, tracking
    Correction("[DOC settings/account]", ["GET"], "/settings/account"),
    Correction(
        "[CAS-MH] reads return them beside the documented flags; a write that is ignored shows in the read-back",
        ["POST"],
        "/groups",
        body={"group": _RETURNED_FLAGS},
    ),
    Correction("idem; POST documents pgTagManage [OAS]", ["PUT"], "/groups/{id}", body={"group": _RETURNED_FLAGS}),
    Correction("named by `links` [CAS-MH]", ["GET"], "/groups/{id}/userGroups"),
    Correction("named by `links` [CAS-MH]", ["GET"], "/groups/{id}/listGroups"),
    Correction("[CAS-MH], [CAS-AY] recorded", ["GET"], "/contactTags"),
    Correction("[CAS-AY] recorded", ["GET"], "/templates"),
    # Read to find out who uses an object
    Correction("[TAP] reads it in production", ["GET"], "/automationBlocks"),
    Correction("[TAP] reads it in production", ["GET"], "/campaignLists"),
    Correction("the vendor's other file, of segments", ["GET"], "/audiences", query=["page", "page_size"]),
    Correction("the vendor's other file, of segments", ["GET"], "/segmentsV2/{id}"),
    Correction(
        "the only example is of the endpoint that this one replaced [OAS]",
        ["POST"],
        "/prism/urlWhitelistings",
        body={
            "data": {
                "type": None,
                "attributes": _names(
                    "whitelisted_domain whitelisted_page tracking_enabled conversations_enabled wp_enabled"
                ),
            }
        },
        replaces=True,
    ),
    Correction("the path that it replaced [OAS-OLD], [SEED]", ["GET"], "/siteTrackingDomains"),
    Correction("idem", ["POST"], "/siteTrackingDomains", body={"siteTrackingDomain": _names("name")}),
    Correction("idem", ["DELETE"], "/siteTrackingDomains/{id}"),
    # People, addresses, outcomes
    Correction("named by `links` of a user (`userGroup`) [CAS-MH]", ["GET"], "/users/{id}/userGroup"),
    Correction("[CAS-MH] writes and reads camelCase", ["POST"], "/addresses", body={"address": _ADDRESS}),
    Correction("idem", ["PUT"], "/addresses/{id}", body={"address": _ADDRESS}),
    Correction(
        "the page is marked WIP and shows the body of an outcome; reads show these names [OAS]",
        ["POST"],
        "/tasktypeOutcomeRels",
        body={"tasktypeOutcomeRel": _names("tasktype_id outcome_id tasktype outcome")},
    ),
    # Segments have an OpenAPI file of their own [SEG]
    Correction("[SEG]", ["GET"], "/audiences", query=["page", "page_size"]),
    Correction("[SEG]", ["POST"], "/segmentsV2", body=_SEGMENT),
    Correction("[SEG]", ["GET", "DELETE"], "/segmentsV2/{id}"),
    Correction("[SEG]", ["PUT"], "/segmentsV2/{id}", body=_SEGMENT),
)
