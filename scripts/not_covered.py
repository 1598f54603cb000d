"""What the vendor's API offers to write and no kind does, with the reason: nothing else is left out.

`tests/kinds/test_surface.py` holds every documented write against what the kinds send, and this list must explain the
whole difference, no more and no less. `docs/reference/not-covered.md` is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

CUSTOMERS = "Customer data"
SENDING = "Reaching people"
CONTENT = "Content, made in the product"
OTHERWISE = "Covered by another request"
NOTHING = "Without effect, or unknown"


@dataclass(frozen=True, slots=True)
class Left:
    """Documented writes that no kind makes: `operations` as "METHOD /path", or, of an operation that is made, the
    `properties` that are not sent, by their path in the body.
    """

    group: str
    why: str
    operations: tuple[str, ...]
    properties: tuple[str, ...] = ()


def _crud(path: str, methods: str = "PUT DELETE") -> tuple[str, ...]:
    return (f"POST {path}", *(f"{method} {path}/{{id}}" for method in methods.split()))


LEFT: tuple[Left, ...] = (
    Left(CUSTOMERS, "Contacts and what is put on them.", (*_crud("/contacts"), "POST /contact/sync")),
    Left(
        CUSTOMERS,
        "Which contacts have a tag or are on a list.",
        (*_crud("/contactTags", "DELETE"), "POST /contactLists"),
    ),
    Left(CUSTOMERS, "Values of contact fields.", _crud("/fieldValues")),
    Left(
        CUSTOMERS,
        "Accounts, their contacts, notes and values.",
        (
            *_crud("/accounts"),
            "DELETE /accounts/bulk_delete",
            "POST /accounts/{id}/notes",
            "PUT /accounts/{id}/notes/{id}",
            *_crud("/accountContacts"),
            *_crud("/accountCustomFieldData"),
            "POST /accountCustomFieldData/bulkCreate",
            "PATCH /accountCustomFieldData/bulkUpdate",
        ),
    ),
    Left(
        CUSTOMERS,
        "Deals, their contacts, tasks, notes and values; they are only moved, where `on_destroy` says so.",
        (
            *_crud("/deals"),
            "PATCH /deals/bulkUpdate",
            "POST /deals/{id}/notes",
            "PUT /deals/{id}/notes/{id}",
            *_crud("/contactDeals"),
            *_crud("/dealTasks"),
            *_crud("/dealCustomFieldData"),
            "POST /dealCustomFieldData/bulkCreate",
            "PATCH /dealCustomFieldData/bulkUpdate",
        ),
    ),
    Left(CUSTOMERS, "Notes.", _crud("/notes")),
    Left(
        CUSTOMERS,
        "Records of custom objects.",
        (
            "POST /customObjects/records/{id}",
            "DELETE /customObjects/records/{id}/{id}",
            "DELETE /customObjects/records/{id}/external/{id}",
        ),
    ),
    Left(CUSTOMERS, "Customers and orders of shops.", (*_crud("/ecomCustomers"), *_crud("/ecomOrders"))),
    Left(CUSTOMERS, "Imports of contacts.", ("POST /import/bulk_import",)),
    Left(CUSTOMERS, "Who gets no mail; no request to it is documented.", ("PUT /lists/exclusions/{id}",)),
    Left(SENDING, "Puts people into automations.", _crud("/contactAutomations", "DELETE")),
    Left(SENDING, "Tells people of tasks.", ("POST /taskNotifications",)),
    Left(SENDING, "Sends a mail to confirm a subscription.", ("POST /form/optin",)),
    Left(SENDING, "Reports that a contact did something.", ("POST /localevent",)),
    Left(CONTENT, "Campaigns.", ("POST /campaign", "PUT /campaigns/{id}/edit", "POST /campaigns/{id}/copy")),
    Left(CONTENT, "Forms: listed without any body (row 40 of section 7).", _crud("/forms")),
    Left(CONTENT, "Settings of one user's screens.", ("PUT /configs/{id}",)),
    Left(OTHERWISE, "Task types are disabled: the endpoint always answers 403.", ("DELETE /dealTasktypes/{id}",)),
    Left(
        OTHERWISE,
        "The misspelt path is used where the account does not know the other one.",
        ("PUT /taskOutccomes/{id}", "DELETE /taskOutccomes/{id}"),
    ),
    Left(
        OTHERWISE,
        "A relation is deleted and created again; the page is marked WIP.",
        ("PUT /tasktypeOutcomeRels/{id}",),
    ),
    Left(OTHERWISE, "Variables are deleted one by one, each with its check.", ("DELETE /personalizations/bulkdelete",)),
    Left(
        NOTHING,
        "Nothing lists these relations or makes one: an address names one user group instead.",
        ("DELETE /addressLists/{id}", "DELETE /addressGroups/{id}"),
    ),
    Left(
        OTHERWISE,
        "Written in the recorded spelling, camelCase.",
        ("POST /addresses", "PUT /addresses/{id}"),
        ("address.company_name", "address.address_1", "address.address_2", "address.is_default"),
    ),
    Left(NOTHING, "No source says what it means.", ("POST /addresses", "PUT /addresses/{id}"), ("address.global",)),
    Left(NOTHING, "Always 3.", ("PUT /brandings/{id}",), ("branding.groupid",)),
    Left(
        NOTHING,
        "Deprecated, or an internal marker.",
        ("POST /fields", "PUT /fields/{id}"),
        ("field.cols", "field.rows", "field.show_in_list", "field.service"),
    ),
    Left(OTHERWISE, "Ignored on create: sent by an update after it.", ("POST /fields",), ("field.ordernum",)),
    Left(
        OTHERWISE,
        "Named `required` in the examples and in reads.",
        ("POST /customObjects/schemas", "POST /customObjects/schemas/public", "PUT /customObjects/schemas/{id}"),
        ("schema.fields.isRequired",),
    ),
    Left(
        NOTHING,
        "In the schema of the request, in no example and in no answer.",
        ("POST /customObjects/schemas", "POST /customObjects/schemas/public"),
        ("schema.fields.slug",),
    ),
    Left(
        NOTHING,
        "Kept as it is: read-only, set by the vendor, or a slip of the documentation.",
        ("PUT /customObjects/schemas/{id}",),
        ("schema.appId", "schema.fields.origin", "schema.fields.value", "schema.icons", "schema.icons.default"),
    ),
    Left(OTHERWISE, "Inside the wrapper `dealRole`.", ("POST /dealRoles",), ("title",)),
    Left(OTHERWISE, "Named `fromemail` in the example and in reads.", ("POST /messages",), ("message.email",)),
    Left(
        OTHERWISE,
        "The example shows the old body; it is sent to the old path where the account knows only that.",
        ("POST /prism/urlWhitelistings",),
        ("siteTrackingDomain", "siteTrackingDomain.name"),
    ),
    Left(
        NOTHING,
        "The page is marked WIP and shows the body of an outcome.",
        ("POST /tasktypeOutcomeRels",),
        ("taskOutcome", "taskOutcome.sentiment", "taskOutcome.title"),
    ),
)
