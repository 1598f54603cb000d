"""Saved responses, personalization variables, messages (sections 2.22, 2.23, 2.25)."""

from tests.conformance.case import Attr, Case, Row, plain
from tests.world import World


def names(world: World, row: Row) -> list[str]:
    """Return the names of the lists whose mails may use a variable, as the account answers them."""
    answer = world.call("GET", f"/personalizations/{row['id']}")["personalization"]
    return sorted(filter(None, str(answer["listNames"] or "").split(",")))


LIST = {"sender_url": "https://acme.example", "sender_reminder": "You signed up."}

CASES = (
    Case(
        "saved_response.thanks",
        "savedResponses",
        (
            plain("title", "Thanks", "Thank you"),
            plain("subject", "Thanks", "Many thanks", clear=None),
            plain("body", "<p>Soon.</p>", "<p>Tomorrow.</p>", clear=None),
        ),
        ("saved_responses", "thanks"),
        always=("title", "subject", "body"),
    ),
    Case(
        "personalization.hours",
        "personalizations",
        (
            plain("tag", "HOURS", "OPENING_HOURS"),
            plain("name", "Hours", "Opening hours"),
            plain("format", "text", "html"),
            plain("content", "9 to 17", "10 to 16", clear=None),
            Attr("lists", ["news"], ["news", "more"], names, ["News"], ["More", "News"], None, clear=[], seen_clear=[]),
            plain("locked", False, True, "isLocked", seen=("0", "1")),
        ),
        ("personalizations", "hours"),
        always=("tag", "name", "format"),
        beside={"lists": {"news": {"name": "News", **LIST}, "more": {"name": "More", **LIST}}},
    ),
    Case(
        "message.welcome",
        "messages",
        (
            plain("name", "Welcome", "Hello"),
            plain("from_name", "Acme", "Acme Ltd", "fromname"),
            plain("from_email", "hello@acme.example", "hi@acme.example", "fromemail"),
            plain("reply_to", "help@acme.example", "support@acme.example", "reply2"),
            plain("subject", "Welcome", "Good to have you", clear=None),
            plain("preheader", "Hi", "Hello", "preheader_text", clear=None),
            plain("text", "Hi there", "Hello there"),
            plain("html", "<p>Hi</p>", "<p>Hello</p>"),
        ),
        ("messages", "welcome"),
        always=("name", "from_name", "from_email", "reply_to"),
    ),
)  # fmt: skip
