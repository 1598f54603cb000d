"""The 59 uncertain points of section 7 of the notes on the API: what this program takes each for, what rests on it, and
why a point stays unknown that no request can settle.
"""

from __future__ import annotations

from reconciler.model.records import record
from reconciler.probe.fact import FactSource

UNDECIDED = "no experiment of this probe could settle it"
DEALS = "it takes deals or tasks, which are customer data: a probe makes none"
PEOPLE = "it takes a user, who would be sent a mail: a probe makes none"
MEMBERS = "it takes contacts that are subscribed: a probe subscribes no one"


@record
class Point:
    """One row: `says` is the assumption; `unknown` tells why nothing can be found out."""

    row: int
    says: str
    affects: tuple[str, ...]
    source: FactSource = "recording"
    unknown: str = ""


POINTS: tuple[Point, ...] = (
    Point(1, "creates are answered 201", ("every kind",)),
    Point(2, "POST /fields answers the field, not a list", ("field",)),
    Point(3, "a page of fields has 20 rows where no `limit` is sent", ("field", "deal_field", "account_field"),
          "client"),
    Point(4, "a wrong token is answered 403", ("every command",), "vendor"),
    Point(5, "what is not there is answered 404", ("list", "user_group")),
    Point(6, "a task type cannot be deleted", ("task_type",), "vendor"),
    Point(7, "deals go with their stage or pipeline", ("stage", "pipeline"), "vendor", DEALS),
    Point(8, "stages go with their pipeline", ("stage", "pipeline"), "vendor"),
    Point(9, "ids of deleted objects do not come back", ("every kind",), "vendor"),
    Point(10, "/groupMembers/{id} takes the membership's id", ("field_group",), "inferred"),
    Point(11, "field groups are listed at /groupDefinitions, and at /groupMembers", ("field_group", "field"), "vendor"),
    Point(12, "a field group is created with a JSON body", ("field_group",), "inferred"),
    Point(13, "a task outcome is changed and deleted at both spellings of its path", ("task_outcome",), "vendor"),
    Point(14, "PUT /lists/{id} answers with an empty body", ("list",)),
    Point(15, "a list without an owner has `userid` 0", ("list",)),
    Point(16, "a list can be created without `stringid`", ("list",), "client"),
    Point(17, "PUT changes a field's type", ("field",), "vendor"),
    Point(18, "`isrequired` of a field is taken and returned", ("field",)),
    Point(19, "a personalization tag that is given loses blanks; one made of the title has underscores", ("field",)),
    Point(20, "names, labels, options and relations may be there twice", ("tag", "list", "field"), "inferred"),
    Point(21, "listings of deal and account fields have no total", ("deal_field", "account_field")),
    Point(22, "a custom object's field is `required`, not `isRequired`", ("custom_object",), "vendor"),
    Point(23, "fields that the PUT of a schema leaves out stay", ("custom_object",), "inferred"),
    Point(24, "the type of a schema's field cannot be changed", ("custom_object",), "inferred"),
    Point(25, "the account lists the events of webhooks, those of the create page too", ("webhook",), "vendor"),
    Point(26, "addresses are written and read in camelCase", ("address",)),
    Point(27, "a username can be changed", ("user",), "recording", PEOPLE),
    Point(28, "site domains are at /prism/urlWhitelistings", ("site_domain",), "vendor"),
    Point(29, "segments are at /segmentsV2 and /audiences", ("segment",), "vendor"),
    Point(30, "the account takes 5 requests in a second, and says so in headers", ("every command",), "vendor"),
    Point(31, "answers have an X-Request-Id", ("every command",)),
    Point(32, "totals are texts, numbers in some listings", ("every kind",)),
    Point(33, "a message's sender is `fromemail`", ("message",), "vendor"),
    Point(34, "some flags of a new user group are on", ("user_group",)),
    Point(35, "a stage keeps the width that was sent", ("stage",)),
    Point(36, "the stages of a new pipeline have the colours of July 2020", ("stage",)),
    Point(37, "contacts that are only on a deleted list go with it", ("list",), "client", MEMBERS),
    Point(38, "deals are filtered by `filters[stage]` and `filters[group]`", ("stage", "pipeline"), "vendor"),
    Point(39, "options cannot be sent with the create of a field", ("field",), "vendor"),
    Point(40, "forms can only be read", ("form",), "vendor",
          "the write form has no documented shape, and nothing of this program writes forms"),
    Point(41, "contact fields may be numbers and no currencies", ("field",), "vendor"),
    Point(42, "exclusions of lists have one of four channels", ("list_exclusion",), "vendor"),
    Point(43, "a tag without a type is one of contacts", ("tag",), "nothing"),
    Point(44, 'an empty text clears a value; null clears it, too', ("every kind",), "nothing"),
    Point(45, "more options are added to those that are there", ("field",), "nothing"),
    Point(46, "tags are filtered by `filters[search][eq]`", ("tag",), "vendor"),
    Point(47, "options are created at /fieldOption/bulk", ("field",)),
    Point(48, "POST /fieldOptions does not create one option", ("field",), "client"),
    Point(49, "a list group is written `listid`, `groupid`", ("list",)),
    Point(50, "an outcome's relation goes while its task type has tasks", ("task_outcome",), "vendor", DEALS),
    Point(51, "GET /lists shows lists for e-mail unless the channel is asked for", ("list",), "client"),
    Point(52, "PUT /lists keeps what is left out", ("list",)),
    Point(53, "arrays are arrays", ("every kind",)),
    Point(54, "beyond the rate limit the answer is 429", ("every command",), "vendor"),
    Point(55, "options are created at /fieldOptions/bulk, too", ("field",), "client"),
    Point(56, "a member of a field group keeps its number", ("field_group", "field"), "vendor"),
    Point(57, "a field can be in several field groups", ("field_group", "field"), "inferred"),
    Point(58, "a relation to a deleted list goes along", ("field", "list"), "nothing"),
    Point(59, "POST /contacts/sync is a plain create", ("contacts",), "client",
          "nothing of this program calls it, and a probe writes contacts at one path only"),
)  # fmt: skip
