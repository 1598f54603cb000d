"""What the pages of a handbook say: in words of their readers, each thing once, and of no person."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from reconciler.model.handbook import Detail, Piece
from reconciler.render.graph import beginning
from reconciler.render.handbook import detail_colour, differs, pages
from reconciler.workflow.handbook import Looks
from tests.handbook.test_handbook import entry, of
from tests.world import World, new_world

LONG = "In negotiation with procurement, legal and the works council"
FILES = """\
tags:
  jane_doe_acme_example_asked: {name: jane.doe@acme.example asked}
  mine: {name: joe@acme.example, description: "Ask joe@acme.example"}
  vip: {name: VIP}
  vip2: {name: "vip "}
lists:
  news: {name: News, string_id: news, sender_url: "https://acme.example", sender_reminder: You asked.}
fields: {tier: {title: Tier, type: text, group: crm}, size: {title: Size, type: text, lists: [news]}}
field_groups: {crm: {label: CRM, object: contact}, shop: {label: Shop, object: contact, fields: [size]},
               empty: {label: Empty, object: contact}}
pipelines:
  sales:
    title: Sales
    currency: usd
    stages: {lead: {title: Lead, color: 32B0FC}, talk: {title: "LONG"}}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: Ticket, plural: Tickets}
    fields: {seat: {type: text, required: true, labels: {singular: Seat, plural: Seats}}}
deal_roles: {finance: {title: Finance}}
"""


@pytest.fixture(name="world", scope="module")
def an_account_as_people_keep_it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With addresses of people in names and keys, twins, and blocks of automations that nobody knows."""
    with new_world(tmp_path_factory.mktemp("kept")) as world:
        world.write(FILES.replace("LONG", LONG))
        world.apply()
        blocks = [{"automation": "7", "type": "hologram", "params": {"x": "y"}}]
        world.account.seed(
            {
                "automations": [{"id": "7", "name": "Welcome"}],
                "automationBlocks": blocks,
                "contacts": [{"id": "70", "email": "c@acme.example"}],
                "contactLists": [{"id": "71", "contact": "70", "list": world.rows("lists")[0]["id"], "status": "1"}],
            }
        )
        yield world


@pytest.fixture(name="book", scope="module")
def its_pages(world: World) -> dict[str, str]:
    """All of them by the names of their files."""
    return {name: str(page) for name, page in pages(of(world)).items()}


def read(page: str) -> str:
    """Return what stands on a page."""
    body = re.sub(r"(?s)<script.*?</script>", " ", page.partition("<body>")[2])
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def of_object(page: str, address: str) -> str:
    """Return what stands on a page of one object."""
    return read("<body>" + page.partition(f'id="{address}"')[2].partition("</article>")[0])


def test_no_address_of_a_person_stands_in_a_text_or_in_a_key(world: World, book: dict[str, str]) -> None:
    """A key that an export made of a name tells the address as well; one that somebody chose stays."""
    ids = {row["tag"]: row["id"] for row in world.rows("tags")}
    whole = "".join(re.sub(r"(?s)<style>.*?</style>", "", page) for page in book.values())
    assert "@" not in whole
    assert "hidden" not in read(book["tag.html"])
    assert "jane_doe" not in whole
    assert f'id="tag.id_{ids["jane.doe@acme.example asked"]}"' in book["tag.html"]
    assert "(address) asked" in of_object(book["tag.html"], f"tag.id_{ids['jane.doe@acme.example asked']}")
    assert "Ask (address)" in of_object(book["tag.html"], "tag.mine")
    assert entry(of(world, Looks(counts=False)), "tag.mine").place == "config/main.yaml:3:3"


def test_what_every_object_of_a_page_would_repeat_is_said_at_its_top(book: dict[str, str]) -> None:
    """What could not be looked into; and a name, which is the heading, is no attribute besides."""
    page = book["tag.html"]
    assert page.count("Not looked into") == 1
    assert "Not looked into, for any of them: steps of automations." in read(page)
    assert "Name" not in of_object(page, "tag.vip")
    assert "Name vip" in of_object(page, "tag.vip2")  # the blank at its end is why it is a twin


def test_twins_are_listed_once_and_told_apart_in_plain_words(book: dict[str, str]) -> None:
    """Not once for each of the two."""
    look = read(book["look.html"])
    assert look.count("differs in capital letters and spaces around it") == 1
    assert differs("case and what nobody listed") == "capital letters and what nobody listed"
    assert 'class="mark twin" href="look.html#twin"' in book["tag.html"]


def test_parts_of_a_custom_object_and_colours_are_shown_as_what_they_are(book: dict[str, str]) -> None:
    """Not as maps of maps, and not as six digits alone."""
    assert "Fields Seat (text, required)" in of_object(book["custom_object.html"], "custom_object.ticket")
    stage = book["stage.html"].partition('id="stage.sales.lead"')[2].partition("</article>")[0]
    assert 'fill="#32B0FC"' in stage
    assert detail_colour(Detail("color", (Piece('"><script>'),))) == ""
    assert detail_colour(Detail("name", (Piece("32B0FC"),))) == ""


def test_a_group_with_fields_is_used_whoever_says_so(world: World) -> None:
    """The field by its group, or the group by its fields; one without any is not."""
    book = of(world)
    names = ("field_group.crm", "field_group.shop", "field_group.empty", "field.tier")
    marked = {name: "unused" in entry(book, name).marks for name in names}
    assert marked == {
        "field_group.crm": False,
        "field_group.shop": False,
        "field_group.empty": True,
        "field.tier": True,
    }


def test_records_are_counted_in_sentences_about_what_is(world: World) -> None:
    """What is on a list, and not what becomes of it."""
    assert entry(of(world), "list.news").records == ("up to 1 contact is on it",)


def test_pictures_show_what_is_tied_by_the_beginning_of_its_name(book: dict[str, str]) -> None:
    """Kinds that nothing ties to another one are on the first page, not in the picture."""
    kinds = book["graph.html"].partition("<h2>Kinds")[2].partition("<h2>Objects")[0]
    assert ("pipeline.html" in kinds, "deal_role.html" in kinds) == (True, False)
    assert beginning(LONG) in book["stage.html"]
    assert beginning(LONG).startswith("In negotiation")


def test_an_object_that_no_kept_run_changed_says_so(world: World) -> None:
    """The run that the state names did not change it for all that is known."""
    for path in (world.folder / "state").rglob("*.json"):
        if path.parent.name.endswith(".runs"):
            path.rename(path.with_suffix(".aside"))
    page = str(pages(of(world, Looks(counts=False)))["tag.html"])
    assert "Last changed not known; noted last by run" in of_object(page, "tag.vip")
