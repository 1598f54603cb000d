"""What a handbook says: of an account that one can oversee, of others that nobody prepared, of snapshots and files."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from reconciler.model.handbook import Handbook, HandbookEntry
from reconciler.render.handbook import pages
from reconciler.resources import load_kinds
from reconciler.workflow import handbook
from reconciler.workflow.handbook import Looks, of_account, of_files
from reconciler.workflow.observation.observing import connected
from tests.environments.messy import PLAIN, account
from tests.hostile import HOSTILE, is_command
from tests.world import World, new_world
from tests.world.clock import run

SEEN = """\
x-owner: marketing
tags:
  vip: {name: VIP, description: Best customers}
  old: {name: Old, x-owner: sales}
  vip2: {name: "vip "}
lists:
  news: {name: News, string_id: news, sender_url: "https://acme.example", sender_reminder: You asked.}
pipelines:
  sales:
    title: Sales
    currency: usd
    x-owner: sales
    stages: {lead: {title: Lead}, won: {title: Won, x-owner: finance}}
webhooks:
  crm: {name: CRM, url: "https://hooks.example/ac?key=${secret.HOOK}", events: [subscribe], sources: [public],
        list: news}
"""
FEW, MANY = 3, 300
WHOLE = Looks()


@pytest.fixture(name="used")
def an_account_that_is_used(world: World) -> World:
    """Two tags that are near twins, one that an automation puts on, one that six contacts have, and one of nobody."""
    world.environ["HOOK"] = "s3cr3t-hook-key-17"
    world.write(SEEN)
    world.apply()
    ids = {row["tag"]: row["id"] for row in world.rows("tags")}
    world.account.seed(
        {
            "automations": [{"id": "7", "name": "Welcome", "status": "1"}],
            "automationBlocks": [
                {"automation": "7", "type": "addtag", "params": {"tagid": ids["VIP"]}},
                {"automation": "7", "type": "hologram", "params": {"x": "y"}},
            ],
            "tags": [
                {"id": "900", "tag": "jane@acme.example"},
                {"id": "901", "tag": "Carried", "contacts": 6},
                {"id": "902", "tag": "Rare", "contacts": 1},
            ],
        }
    )
    return world


def of(world: World, looks: Looks = WHOLE) -> Handbook:
    """Return the handbook of the account."""
    return run(of_account(world.session(), looks))


def entry(book: Handbook, address: str) -> HandbookEntry:
    """Return an entry. Raises LookupError with what there is."""
    if address not in book.entries:
        raise LookupError(f"{address} is not among {sorted(book.entries)}")
    return book.entries[address]


def test_an_object_says_what_people_ask_about_it(used: World) -> None:
    """Description, owner, place, who uses it, how many records, when and by which run it changed."""
    vip = entry(of(used), "tag.vip")
    assert (vip.title, vip.description, vip.owner, vip.standing) == ("VIP", "Best customers", "marketing", "managed")
    assert vip.place == "config/main.yaml:3:3"
    assert vip.uses == ("automation.id_7",)
    assert vip.records == ("0 contacts carry the tag",)
    assert vip.changed is not None
    assert vip.changed.action == "create"
    assert vip.changed.run in used.session().store.run_names()


def test_the_nearest_owner_counts(used: World) -> None:
    """Of the object, of what it is part of, of the file."""
    book = of(used, Looks(counts=False))
    owners = {name: entry(book, name).owner for name in ("tag.vip", "tag.old", "stage.sales.lead", "stage.sales.won")}
    assert owners == {
        "tag.vip": "marketing", "tag.old": "sales", "stage.sales.lead": "sales", "stage.sales.won": "finance",
    }  # fmt: skip


def test_an_owner_that_is_no_text_is_refused_where_it_stands(world: World) -> None:
    """With the place, as anything else that is wrong in a file."""
    world.write("tags: {vip: {x-owner: [a, b]}}")
    ran = world.cli("validate")
    assert (ran.code, "`x-owner` must be a plain text" in ran.text, "main.yaml:1:" in ran.text) == (3, True, True), (
        ran.text
    )


def test_an_owner_is_planned_by_nothing(used: World) -> None:
    """Another owner is no change."""
    used.write(SEEN.replace("x-owner: sales", "x-owner: support"))
    plan = used.plan()
    assert (plan.lines, plan.document.steps) == ([], [])


def test_automations_appear_with_what_they_mention(used: World) -> None:
    """Both ways, and what could not be looked into is said."""
    book = of(used)
    assert entry(book, "automation.id_7").refers == ("tag.vip",)
    assert any("hologram" in spot.why for spot in book.blind)


def test_what_nobody_uses_has_a_mark(used: World) -> None:
    """A reference, a mention and a record are uses; a tag without any has the mark, and none has it that is used."""
    book = of(used)
    assert "unused" in entry(book, "tag.old").marks
    assert "unused" not in entry(book, "tag.vip").marks
    assert "unused" not in entry(book, "list.news").marks
    assert "unused" not in entry(book, "tag.carried").marks
    assert entry(book, "tag.carried").records == ("6 contacts carry the tag",)
    assert entry(book, "tag.rare").records == ("1 contact carries the tag",)
    assert entry(book, "tag.carried").standing == "undeclared"
    assert "unused" not in entry(book, "field_group.deal_default").marks


def test_near_twins_and_missing_descriptions_have_marks(used: World) -> None:
    """In what two names differ is said; kinds that have no description are not blamed."""
    book = of(used)
    assert [(twin.address, twin.differs) for twin in entry(book, "tag.vip").twins] == [
        ("tag.vip2", "case and outer blanks")
    ]
    assert "undescribed" in entry(book, "tag.old").marks
    assert "undescribed" not in entry(book, "tag.vip").marks
    assert entry(book, "pipeline.sales").description is None
    assert "undescribed" not in entry(book, "pipeline.sales").marks


def test_stages_stand_in_their_pipeline_in_order(used: World) -> None:
    """What a board holds, from left to right."""
    assert entry(of(used), "pipeline.sales").children == ("stage.sales.lead", "stage.sales.won")


@pytest.mark.parametrize("most", [0, 7, 500])
def test_the_budget_is_kept_and_told(used: World, most: int) -> None:
    """No more requests than allowed go to uses and counts; what was not counted is said, and never taken for none."""
    before = len(used.requests())
    book = of(used, Looks(counts=False, requests=0))
    base = len(used.requests()) - before
    before = len(used.requests())
    book = of(used, Looks(requests=most))
    assert len(used.requests()) - before <= base + most
    assert f"of at most {most} requests" in book.spent
    if most == 0:
        assert entry(book, "tag.carried").records == ()
        assert "the budget of 0 requests is used up" in entry(book, "tag.carried").uncounted
        assert any("budget" in spot.why for spot in book.blind)


def test_what_a_snapshot_does_not_hold_is_said_of_the_snapshot(used: World) -> None:
    """Never of the account, and once for all that it concerns: kinds that were not asked for, and places of uses."""
    for kinds in ((), ("--kinds", "tag,segment")):
        snapshot = used.folder / f"{len(kinds)}.snapshot"
        used.cli("snapshot", "--out", str(snapshot), *kinds)
        ran = used.cli("handbook", "--out", f"book{len(kinds)}", "--from", str(snapshot))
        index = html.unescape((used.folder / f"book{len(kinds)}/index.html").read_text("utf-8"))
        assert "the account has no" not in index + ran.text
        assert "not offer" not in index + ran.text
        assert ran.text.count("is not in the snapshot") == bool(kinds)
        assert index.count("is not in the snapshot") == 2 + bool(kinds)
        assert ran.code == (4 if kinds else 0)


def test_no_counts_counts_nothing(used: World) -> None:
    """Neither contacts nor deals are asked for."""
    used.forget()
    book = of(used, Looks(counts=False))
    assert not any("/contacts" in one or "/deals" in one for one in used.requests("GET"))
    assert entry(book, "tag.carried").records == ()
    assert "Records were not counted." in book.spent


def test_files_alone_need_no_account_and_no_key(used: World) -> None:
    """The account is not asked, secrets may be missing, and nothing is said of what only an account knows."""
    used.environ.pop("HOOK")
    used.forget()
    book = of_files(used.session())
    assert used.requests() == []
    assert entry(book, "tag.vip").standing == "declared"
    assert entry(book, "list.news").uses == ("webhook.crm",)
    assert entry(book, "tag.vip").records == ()
    assert "tag.carried" not in book.entries


def test_files_do_not_say_that_nothing_uses_what_they_declare(used: World) -> None:
    """An automation or a contact may: that nobody looked is said on the first page, with the marks, and of kinds of
    which no file declares any.
    """
    made = pages(of_files(used.session()))
    [unseen] = re.findall(r"<li>What (.*) use: no account was asked</li>", made["index.html"])
    assert ("automations" in unseen, "campaigns" in unseen) == (True, True)
    assert "Not everything could be looked into" in made["look.html"]
    assert "Records were not counted: contacts and deals may have it." in made["look.html"]
    assert "Not looked into, for any of them: automations" in made["tag.html"]
    assert "what the account has of it is not known" in made["automation.html"]
    assert not any("There is none." in page for page in made.values())


@pytest.mark.parametrize("requests", [0, 8, 12, 16])
def test_what_was_not_counted_is_not_marked_as_unused(used: World, requests: int) -> None:
    """Wherever the requests end, an object that records are at has no mark; nor has a task type, whose tasks nobody
    counts.
    """
    marked = {found.address for found in of(used).marked("unused")}
    few = {found.address for found in of(used, Looks(requests=requests)).marked("unused")}
    assert few <= marked
    assert "tag.old" in marked
    assert not any(address.startswith("task_type.") for address in marked)


def test_a_snapshot_gives_the_account_without_counts(used: World) -> None:
    """From the file alone, with what the state knows; the account is not asked."""
    assert used.cli("snapshot", "--out", "a.snap.gz").code == 0
    used.forget()
    ran = used.cli("handbook", "--out", "book", "--from", "a.snap.gz")
    assert ran.code == 0, ran.text
    assert used.requests() == []
    page = (used.folder / "book/tag.html").read_text("utf-8")
    assert 'id="tag.carried"' in page
    assert "Records were not counted." in page
    assert "carry the tag" not in page


def test_a_kind_that_cannot_be_read_is_told(used: World) -> None:
    """On the first page and by the exit code, and it is never said to be empty."""
    used.behave(forbidden=("tags",))
    ran = used.cli("handbook", "--out", "book")
    assert ran.code == 4, ran.text
    assert "Not in it, tag" in ran.err
    assert "This could not be read." in (used.folder / "book/tag.html").read_text("utf-8")
    assert "There is none." not in (used.folder / "book/tag.html").read_text("utf-8")


def test_what_is_managed_is_not_believed_to_be_offered_no_more(used: World) -> None:
    """The account answers 404 to a listing: of what this program made there, that proves nothing; of calendars, which
    it never saw, it says that there are none.
    """
    for path in ("tags", "calendars"):
        used.fault("fail_before", rf"GET /(api/3/)?{path}\b.*", status=404, times=99)
    ran = used.cli("handbook", "--out", "book")
    assert (ran.code, "Not in it, tag: the account has no /tags (404)" in ran.err) == (4, True), ran.text
    page = (used.folder / "book/tag.html").read_text("utf-8")
    assert ("This could not be read." in page, "does not offer" in page) == (True, False)
    assert "The account does not offer it." in (used.folder / "book/calendar.html").read_text("utf-8")


def test_no_secret_and_no_address_of_a_person_is_on_any_page(used: World) -> None:
    """Not in texts, not in addresses that are made of names, not in what is searched."""
    assert used.cli("handbook", "--out", "book").code == 0
    texts = "".join(path.read_text("utf-8") for path in sorted((used.folder / "book").glob("*.html")))
    assert "s3cr3t-hook-key-17" not in texts
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", texts)
    assert "jane" not in texts
    assert 'id="tag.id_900"' in texts


def test_no_name_that_is_an_address_of_a_person_is_on_any_page(world: World) -> None:
    """Of any kind, also where the name is the id, nor as URLs and HTML write it, nor in other letters than ASCII."""
    names = ("jane@acme.example", "jane%40acme.example", "jane\uff20acme.example", "jane&#64;b\u00fccher.example")
    ids = itertools.count(900_001)
    seed = {
        path: [
            {"id": str(n), **row(n, one, Random(n))}
            for one in (names if kind != "tracked_event" else names[:1])
            for n in [next(ids)]
        ]
        for kind, (path, _, row) in PLAIN.items()
    }
    world.write("{}")
    world.account.seed(seed)
    assert world.cli("handbook", "--out", "book", "--requests", "0").code in (0, 4)
    pages = {path.name: path.read_text("utf-8") for path in sorted((world.folder / "book").glob("*.html"))}
    assert [name for name, text in pages.items() if "jane" in text] == []
    assert pages["tracked_event.html"].count("<article") == 1


def test_the_same_account_gives_the_same_bytes(used: World) -> None:
    """Also over an earlier handbook, which is written over."""
    books = []
    for _ in range(2):
        assert used.cli("handbook", "--out", "book").code == 0
        books.append({path.name: path.read_bytes() for path in (used.folder / "book").glob("*.html")})
    assert books[0] == books[1]


@pytest.mark.parametrize("name", ["notes.txt", "index.html"])
def test_a_folder_of_something_else_is_left_alone(world: World, name: str) -> None:
    """Before anything is asked."""
    world.write("{}")
    (world.folder / "book").mkdir()
    (world.folder / "book" / name).write_text("mine", "utf-8")
    world.forget()
    ran = world.cli("handbook", "--out", "book")
    assert (ran.code, "nothing was written" in ran.err) == (1, True), ran.text
    assert world.requests() == []
    assert [path.name for path in (world.folder / "book").iterdir()] == [name]


def test_a_page_of_somebody_else_is_left_alone(world: World) -> None:
    """Nothing is written then, not even the pages that could be."""
    world.write("{}")
    assert world.cli("handbook", "--out", "book", "--from", "files").code == 0
    (world.folder / "book/tag.html").write_text("mine", "utf-8")
    before = (world.folder / "book/index.html").stat().st_mtime_ns
    ran = world.cli("handbook", "--out", "book", "--from", "files")
    assert (ran.code, "nothing was written" in ran.err) == (1, True), ran.text
    assert (world.folder / "book/tag.html").read_text("utf-8") == "mine"
    assert (world.folder / "book/index.html").stat().st_mtime_ns == before


def problems_of(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the pages in a folder: dead links, ids that stand twice, anything from outside, texts
    that a program which runs jobs would take for commands.
    """
    texts = {path.name: path.read_text("utf-8") for path in folder.glob("*.html")}
    ids = {name: re.findall(r'\sid="([^"]*)"', text) for name, text in texts.items()}
    for name, text in texts.items():
        if len(ids[name]) != len(set(ids[name])) and ids[name].count("tip") < 2:
            yield f"{name}: an id stands twice"
        for href in re.findall(r'\shref="([^"]*)"', text):
            page, _, part = html.unescape(href).partition("#")
            if (page or name) not in texts or (part and part not in ids[page or name]):
                yield f"{name}: {href} leads nowhere"
        yield from (f"{name}: {match.group()}" for match in re.finditer(r"(?i)<[^>]+\s(?:src|style|on\w+)\s*=", text))
        yield from (f"{name}: a command: {line!r}" for line in text.splitlines() if is_command(line))


def check_messy(folder: Path, number: int) -> None:
    """Hold the handbook of an account of this number: every object is in it or counted beside it, every link leads
    somewhere, and no address of a person is in it.
    """
    with new_world(folder) as world:
        world.write("{}")
        world.account.seed(account(number))
        book = of(world, Looks(requests=40))
        seen = run(_lives(world))
        for chapter in book.chapters:
            beside = sum(
                int(found.replace(",", "")) for line in chapter.aside for found in re.findall(r"^[\d,]+", line)
            )
            assert chapter.unread or len(chapter.entries) + beside == seen.get(chapter.kind, 0), (number, chapter.kind)
        ran = world.cli("handbook", "--out", "book", "--requests", "40")
        assert ran.code in (0, 4), ran.text
        assert list(problems_of(world.folder / "book")) == [], number
        texts = "".join(path.read_text("utf-8") for path in (world.folder / "book").glob("*.html"))
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w+", texts), number


async def _lives(world: World) -> dict[str, int]:
    session = world.session()
    reads = {name: frozenset((*kind.attributes, *kind.variants)) for name, kind in session.kinds.items()}
    async with connected(session) as there:
        seen = (await there.observe(reads)).snapshot
    return {name: len(lives) for name, lives in seen.lives.items()}


@pytest.mark.parametrize("number", range(FEW))
def test_the_handbook_of_an_account_that_nobody_prepared(tmp_path: Path, number: int) -> None:
    """See `check_messy`."""
    check_messy(tmp_path, number)


@pytest.mark.prove
def test_the_handbooks_of_many_accounts_that_nobody_prepared(tmp_path: Path) -> None:
    """See `check_messy`."""
    for number in range(FEW, MANY):
        check_messy(tmp_path / str(number), number)
    assert len(list(tmp_path.iterdir())) == MANY - FEW


def test_hostile_names_stay_texts_on_every_page(world: World) -> None:
    """Markup, commands of job runners and what reverses a line, in names, descriptions and owners."""
    tags = {f"t{number}": {"name": f"{number} {one}", "description": one} for number, one in enumerate(HOSTILE)}
    tags["t0"]["x-owner"] = "</script><script>alert(1)</script>"
    world.write({"tags": tags})
    ran = world.cli("handbook", "--out", "book", "--from", "files")
    assert ran.code == 0, ran.text
    assert list(problems_of(world.folder / "book")) == []
    texts = "".join(path.read_text("utf-8") for path in (world.folder / "book").glob("*.html"))
    assert "<script>alert" not in texts
    assert "<img" not in texts
    assert "\u202e" not in texts


def test_every_kind_has_a_page_of_its_own(world: World) -> None:
    """Also one of which there is nothing, so that no page of an earlier handbook is left; none has the name of
    another page.
    """
    world.write("{}")
    assert world.cli("handbook", "--out", "book", "--from", "files").code == 0
    names = {path.name for path in (world.folder / "book").glob("*.html")}
    assert names == {"index.html", "look.html", "graph.html", *(f"{name}.html" for name in load_kinds())}
    assert len(names) == 3 + len(load_kinds())


def test_links_lead_to_screens_that_a_source_tells(used: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a list by its id, to the page of segments; nowhere else, and nowhere on an account of somebody else."""
    assert not [one for one in of(used).entries.values() if one.screen]
    monkeypatch.setattr(handbook, "screen_of", lambda identity, page: f"https://acme.activehosted.com{page}")
    book = of(used)
    news = entry(book, "list.news")
    assert news.screen == f"https://acme.activehosted.com/app/contacts/?listid={news.id}&status=1"
    assert {one.kind for one in book.entries.values() if one.screen} == {"list"}
    assert {chapter.kind for chapter in book.chapters if chapter.screen} == {"segment"}
    assert f'href="{html.escape(news.screen)}"' in pages(book)["list.html"]


def test_a_handbook_is_not_written_among_what_somebody_else_left(world: World) -> None:
    """Pages of somebody else, and pages of ours beside their files without an index."""
    world.write("tags: {a: {}}")
    theirs = (("page.html", "<p>theirs</p>"), (".page.html.x1.old", "x"), ("notes.txt", "x"))
    for number, (name, content) in enumerate(theirs):
        folder = world.folder / f"site-{number}"
        folder.mkdir()
        (folder / name).write_text(content, "utf-8")
        ran = world.cli("handbook", "--out", folder.name, "--from", "files")
        assert (ran.code, "nothing was written" in ran.err, len(list(folder.iterdir()))) == (1, True, 1), ran.text


def test_of_switches_those_that_are_on_are_named(world: World) -> None:
    """As people say them: a user group has fifty permissions, and what it may not do is everything else."""
    world.write("user_groups: {agents: {name: Agents, flags: {pgDealReassign: true, pgListAdd: false}}}")
    world.apply()
    book = of(world, Looks(counts=False))
    (permissions,) = [detail for detail in entry(book, "user_group.agents").details if detail.switches]
    named = [piece.text for piece in permissions.pieces]
    assert ("pgDealReassign" in named, "pgListAdd" in named, "reqApproval1st: 2" in named) == (True, False, True)
    page = pages(book)["user_group.html"]
    assert "Deal reassign" in page
    assert "List add" not in page
