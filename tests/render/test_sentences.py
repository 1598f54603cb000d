"""What a plan says to somebody who reads no YAML."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import click
import pytest

import reconciler
from reconciler import resources
from reconciler.cli.program import program
from reconciler.judging.guards import GUARDS
from reconciler.model.document import (
    AttributeView,
    ChangeView,
    GuardView,
    ImpactView,
    PlanDocument,
    RenameView,
    Summary,
    UseView,
)
from reconciler.model.grammar import agreeing
from reconciler.model.write import Effect
from reconciler.render import annotations as annotated
from reconciler.render import (
    cards,
    comment,
    html,
    machine,
    markdown,
    sentences,
    stream,
    terms,
    text,
    words,
)
from reconciler.render.effects import impact
from reconciler.render.naming import Names, screen
from reconciler.render.sides import rows
from reconciler.resources import load_kinds
from reconciler.workflow import notices
from scripts import write_terms
from tests.render import documents

_ACTIONS = get_args(ChangeView.model_fields["action"].annotation)
JARGON = re.compile(
    r"\btripped|serial\b|whose change|≤|customer records \d|would be destroyed|to destroy|at risk|\bunmanaged(?!_)"
    r"|in-place|overrid|the API(?! key)\b|no source"
)


def _deleted(kind: str, **members: object) -> ChangeView:
    found = {"title": "Sunflower", "name": "Sunflower", "label": "Sunflower"}
    return ChangeView.model_validate(
        {"address": f"{kind}.sun", "kind": kind, "action": "delete", "found": found, **members}
    )


def test_every_kind_and_guard_is_called_as_it_says_itself() -> None:
    """What views call them is what a kind's file and the table of guards say; no name lacks its words or has two."""
    kinds, titles = load_kinds(), Counter(guard.name for guard in GUARDS if guard.title)
    assert Path(terms.__file__).read_text("utf-8") == write_terms.text(kinds, GUARDS)
    assert titles == Counter({guard.name for guard in GUARDS})
    assert {name for name, kind in kinds.items() if kind.abilities.deletable and not kind.texts.gone} == set()


def _nouns() -> Iterator[str]:
    """What the kinds count, as it stands in their code."""
    for module in (importlib.import_module(f"{resources.__name__}.{name}") for name in sorted(resources.modules())):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Assign) and any(
                isinstance(one, ast.Name) and one.id == "noun" for one in node.targets
            ):
                yield _text(node.value)
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name in ("Impact", "counted") and len(node.args) > 1:
                yield _text(node.args[1])
    yield from (part.noun for kind in load_kinds().values() for part in kind.abilities.parts.values())
    yield from (
        f"{part.noun} that are not declared" for kind in load_kinds().values() for part in kind.abilities.parts.values()
    )
    yield from (f"{kind.title.lower()}s of it go along" for kind in load_kinds().values())


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "deals" for one in node.values).replace(
            "deals fields", "deal fields"
        )
    return ""


def test_whatever_is_counted_has_a_sentence() -> None:
    """None of the nouns is said as it stands, of one or of many."""
    nouns = {noun for noun in _nouns() if noun}
    assert len(nouns) > 25
    for noun in nouns:
        for count in (1, 7, None):
            told = impact(ImpactView(count=count, noun=noun, effect="lost"), Names(()))
            assert re.search(r"\b(is|are|has|have|loses?|goe?s?|do|does)\b", told), told
            assert count != 1 or not re.match(r"1 (?!address)(\w+s|people) (are|have|lose|go|do|of|to|in)\b", told), (
                told
            )
            assert not re.search(r"that are not declared|\bgo along\b|\bno source\b|\bassumed\b", told), told


NOTICED = (
    ("list", ImpactView(count=4, noun="contacts, on this list only, are deleted", at_most=True),
     "Up to 4 contacts, on this list only, are deleted."),
    ("user_group", ImpactView(count=1, noun="people lose this group's permissions", effect="hidden"),
     "1 person loses this group's permissions."),
    ("tag", ImpactView(count=0, noun="contacts carry the tag"), "No customer data is lost."),
    ("tag", ImpactView(count=1, noun="contacts carry the tag"), "1 contact loses this tag."),
    ("task_type", None, "switched off, not deleted"),
    ("stage", ImpactView(count=2, noun="deals", detail="worth USD 9.00 (open: 1)"),
     "2 deals are deleted (worth USD 9.00, 1 of them open)."),
    ("stage", ImpactView(count=2, noun="deals", detail="worth USD 9.00 (open: 1) (moved away first)", effect="moved"),
     "2 deals are kept, and may mean something else then (worth USD 9.00, 1 of them open)."),
    ("stage", ImpactView(count=1, noun="deals", detail="worth USD 9.00 (open: 1)"),
     "1 deal is deleted (worth USD 9.00, open)."),
    ("stage", ImpactView(count=1, noun="deals", detail="worth USD 9.00 (open: 0)"),
     "1 deal is deleted (worth USD 9.00, not open)."),
    ("account_field", ImpactView(count=5, noun="accounts carry a value"),
     "5 companies lose what they have in this field."),
    ("custom_object", ImpactView(count=2, noun="fields that are not declared", effect="unmanaged", objects=["Seat"]),
     "2 fields that are not in the files go with it: Seat."),
    ("field", ImpactView(count=1, noun="relations to lists", effect="along", objects=["all"]),
     "No list offers it any more; all did."),
    ("field", ImpactView(count=1, noun="options", effect="along", objects=["all"]), "1 option goes with it: all."),
    ("custom_object", ImpactView(count=None, noun="records", detail="the account does not count them"),
     "An unknown number of records are deleted: the account does not count them."),
    ("custom_object", ImpactView(count=None, noun="records", detail="the account refuses GET /x (403: Forbidden)"),
     "An unknown number of records are deleted: the account refuses GET /x (403: Forbidden)."),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "impact", "expected"), NOTICED)
def test_what_somebody_will_notice_is_said_in_both(kind: str, impact: ImpactView | None, expected: str) -> None:
    """In the report and in the comment."""
    change = _deleted(kind, impacts=[impact] if impact is not None else [], switches_off=kind == "task_type")
    document = PlanDocument(changes=[change], summary=Summary(destroy=1))
    assert expected in html.plan(document).replace("&#39;", "'")
    assert expected in markdown.plan(document)


def test_what_is_told_of_a_change_names_what_changes() -> None:
    """Another currency is told of by that word, where deals may mean something else then."""
    change = ChangeView(
        address="pipeline.renewals",
        kind="pipeline",
        action="update",
        attributes=[AttributeView(name="currency", before="eur", after="gbp")],
        impacts=[ImpactView(count=1, noun="deals", effect="moved")],
    )
    said = "The pipeline Renewals changes: currency."
    for view in (html.plan, markdown.plan):
        shown = re.sub(r"<[^>]+>|\*", "", view(PlanDocument(changes=[change])))
        assert said in shown
        assert "1 deal is kept, and may mean something else then." in shown


@pytest.mark.parametrize(("kind", "noun"), [("tag", "contacts carry the tag"), ("field", "contacts carry a value")])
def test_what_a_number_says_is_not_said_before_it(kind: str, noun: str) -> None:
    """`214 contacts lose this tag` means that it is taken off contacts; where there is none, or nobody knows how many,
    the sentence stays.
    """
    about = screen(kind).gone
    for count, stays in ((214, False), (0, True), (None, True)):
        change = _deleted(kind, impacts=[ImpactView(count=count, noun=noun)])
        assert (about in sentences.consequences(change)) is stays
        for view in (html.plan, markdown.plan):
            assert (about in view(PlanDocument(changes=[change]))) is stays


def test_a_verdict_says_what_goes_what_it_costs_and_what_it_needs() -> None:
    """In that order; what is only switched off is not deleted."""
    option = documents.old("options", documents.options("Free", "Old"), documents.options("Free"))
    document = PlanDocument(
        changes=[
            _deleted("list"),
            _deleted("tag"),
            _deleted("task_type", switches_off=True),
            ChangeView(address="field.tier", kind="field", action="update", attributes=[option]),
        ],
        summary=Summary(destroy=3, change=1, records_at_risk=22),
        guards=[GuardView(name=name, verdict="tripped", override=f"--allow {name}") for name in ("one", "two")],
    )
    deletes = "This plan deletes one list, one tag and one option, and switches off one task type."
    assert sentences.verdict(document) == [
        f"{deletes} It also changes one contact field.",
        "22 customer records are affected.",
        "It needs two approvals.",
    ]


def test_a_suspected_rename_is_asked_about() -> None:
    """By the names that the tags have, with what would keep them one."""
    document = PlanDocument(
        changes=[
            ChangeView(address="tag.vip", kind="tag", action="delete", found={"name": "VIP"}),
            ChangeView(address="tag.gold", kind="tag", action="create", attributes=[documents.new("name", "VIP gold")]),
        ],
        renames=[RenameView(source="tag.vip", target="tag.gold", likeness=0.85)],
        guards=[GuardView(name="suspected_rename", verdict="tripped", addresses=["tag.gold", "tag.vip"], message="x")],
    )
    asked = "This deletes the tag VIP from all contacts and makes a new one, VIP gold. Did you mean to rename it?"
    assert asked in html.plan(document)
    assert asked in markdown.plan(document)


def _everywhere() -> PlanDocument:
    """A plan that does everything to every kind, with every guard in every state, and whatever is counted."""
    kinds, nouns = load_kinds(), sorted(filter(None, set(_nouns())))
    changes = []
    for number, (kind, action) in enumerate(itertools.product(kinds, _ACTIONS)):
        effects = get_args(Effect) if action in ("delete", "replace", "update") else ()
        impacts = [
            ImpactView(count=(number + place) % 4 or None, noun=nouns[(number + place) % len(nouns)], effect=effect)
            for place, effect in enumerate(effects)
        ]
        off = action == "delete" and bool(kinds[kind].texts.removal_effect)
        address = f"{kind}.{action}"
        changes.append(ChangeView(address=address, kind=kind, action=action, impacts=impacts, switches_off=off))
    views = [
        GuardView.model_validate({"name": guard.name, "message": guard.message, "override": "--allow x", **state})
        for guard in GUARDS
        for state in (
            {"verdict": "tripped"},
            {"verdict": "warned"},
            {"verdict": "overridden", "by": "project file"},
            {"verdict": "overridden", "by": "command line"},
        )
    ]
    touched = Summary(
        destroy=9, switch_off=1, records_at_risk=9, at_most=True, unmeasured=2, records_moved=3, unmanaged=2
    )
    return PlanDocument(changes=changes, guards=views, summary=touched, environment="prod")


def _read_in_html(document: PlanDocument) -> str:
    """What stands on the page above the part for engineers, without folds."""
    page = html.plan(document).partition("<body>")[2].partition('class="engine"')[0]
    return re.sub(r'(?s)<details class="facts">.*?</details>|<code>.*?</code>|<[^>]+>', " ", page)


def _read_in_markdown(document: PlanDocument) -> str:
    """Everything above the lines for engineers, but what stands in fences and as code."""
    return _without_code(markdown.plan(document, limit=10_000_000))


def _without_code(written: str) -> str:
    return re.sub(r"(?s)```.*?```|`[^`]+`", " ", written.partition("For engineers:")[0])


def _messages(document: str) -> str:
    """The sentences in JSON; names of members and verdicts are for programs."""
    return " ".join(guard["message"] for guard in json.loads(document)["guards"])


VIEWS: dict[str, Callable[[PlanDocument], str]] = {
    "text": text.plan,
    "html": _read_in_html,
    "markdown": _read_in_markdown,
    "comment": lambda document: _without_code(comment.plan_comment(document, limit=1_000_000)),
    "notice": notices.refused,
    "annotations": lambda document: "".join(problem.message for problem in annotated.concerns(document)),
    "json": lambda document: " ".join(guard["message"] for guard in json.loads(machine.plan_json(document))["guards"]),
    "stream": lambda document: " ".join(
        guard["message"] for guard in json.loads(stream.refused_line(document))["guards"]
    ),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "document", [_everywhere(), documents.refused(), documents.many(40)], ids=["everything", "refused", "forty"]
)
def test_what_people_read_has_no_terms_of_ours(view: str, document: PlanDocument) -> None:
    """Of every kind, action and guard, in every form: no serials, no risks, nothing that tripped or was overridden.
    What is Terraform's in the terminal stays Terraform's: `to destroy`, `in-place`.
    """
    shown = VIEWS[view](document)
    ours = [shown[max(0, term.start() - 40) : term.end() + 20] for term in JARGON.finditer(shown)]
    assert [term for term in ours if view != "text" or not re.search("to destroy|in-place", term)] == []


def test_what_an_approver_reads_has_no_addresses() -> None:
    """Names of the screens stand in their place."""
    shown = _read_in_html(documents.refused())
    assert "This plan deletes" in shown
    assert not re.search(r"\b(?:config|tag|field|stage|list)[./]\w+[.\w]*", shown.replace("tag.*, field.plan_tier", ""))


def test_the_same_notice_is_said_once() -> None:
    """What could not be looked into for several changes stands above them, with how many they are; what could not be
    for the same reason stands in one sentence.
    """
    blind = UseView(where="automations", certainty="not inspected", note="the key may not read `them`")
    own = UseView(where="automation Win back")
    more = blind.model_copy(update={"where": "forms"})
    changes = [_deleted("tag", uses=[blind, own, more]), _deleted("list", uses=[blind, more])]
    for shown in (html.plan(PlanDocument(changes=changes)), markdown.plan(PlanDocument(changes=changes))):
        assert shown.count("the key may not read “them”") == 1
        assert shown.count("automations and forms") == 1
        assert shown.count("automation Win back") == 2  # among what is lost, and at the change
    alone = text.plan(PlanDocument(changes=changes[1:]))
    assert alone.count("not inspected: automations and forms (the key may not read `them`)") == 1


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"target": ["tag.*"], "no_delete": True}, "--env prod plan --out plan.json --target 'tag.*' --no-delete"),
        (
            {"kinds": ["tag", "list"], "max_requests": 9},
            "--env prod plan --out plan.json --max-requests 9 --kinds tag,list",
        ),
        ({"undo": "r-1", "no_uses": True, "impact": False}, "--env prod undo r-1 --out plan.json --no-impact"),
        ({"clone": {"from": "it's", "prune": True}}, "clone --from 'it'\"'\"'s' --to prod --prune --out plan.json"),
    ],
)
def test_a_command_makes_the_same_plan_with_one_more_yes(options: dict[str, object], written: str) -> None:
    """What was chosen and allowed stays, by the command that made the plan; and that command takes all of it."""
    made = PlanDocument(environment="prod", options={**options, "allow": ["a=1"]})
    shown = cards.command(made, ["--allow b=2"])
    assert shown == f"reconciler {written} --allow a=1 --allow b=2"
    _, *argv = shlex.split(shown)
    verb = next(word for word in argv if word in ("plan", "undo", "clone"))
    command = program.get_command(click.Context(program), verb)
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in argv if word.startswith("--")} <= known


def test_no_text_of_the_program_names_an_option_that_no_command_has() -> None:
    """What a hint or a report tells to type can be typed; programs that this one runs have options of their own."""
    known = {"--help"}
    open_: list[click.Command] = [program]
    while open_:
        group = open_.pop()
        known |= {option for parameter in group.params for option in parameter.opts}
        if isinstance(group, click.Group):
            inner = (
                group.get_command(click.Context(group), name) for name in group.list_commands(click.Context(group))
            )
            open_ += filter(None, inner)
    named = {
        (path.name, option)
        for path in Path(reconciler.__file__).parent.rglob("*.py")
        if path.name not in ("baselines.py", "trusted_limits.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z](?![\w-])", node.value)
    }
    assert len(named) > 100
    assert {pair for pair in named if pair[1] not in known} == set()


@pytest.mark.parametrize(
    ("phrase", "one"),
    [
        ("contacts carry the tag", "contact carries the tag"),
        ("contacts may have chosen `Yes`", "contact may have chosen `Yes`"),
        ("options that are not declared", "option that is not declared"),
        ("custom objects of it go along", "custom object of it goes along"),
        ("people lose this group's permissions", "person loses this group's permissions"),
        ("user group is invisible", "user group is invisible"),
    ],
)
def test_a_phrase_agrees_with_its_number(phrase: str, one: str) -> None:
    """One contact carries what several carry."""
    assert (agreeing(1, phrase), agreeing(2, phrase), agreeing(None, phrase)) == (one, phrase, phrase)


def test_every_action_has_its_words() -> None:
    """None of them ends a report with an error of the program."""
    for action in get_args(ChangeView.model_fields["action"].annotation):
        change = ChangeView(address="tag.a", kind="tag", action=action)
        assert sentences.done(change)
        assert sentences.headline(change, Names([change]))
    assert set(words.SIGNS) <= set(get_args(ChangeView.model_fields["action"].annotation))


def test_an_effect_mentions_objects_by_their_names() -> None:
    """A list that the plan changes is called as on the screens; what nobody declared stands there by name already."""
    other = ChangeView(address="list.l1", kind="list", action="update", found={"name": "News"})
    view = ImpactView(count=3, noun="relations to lists", effect="unmanaged", objects=["list.l1", "list.l2", "Shop"])
    assert impact(view, Names([other])).endswith(": list News, list L2, Shop.")


def test_a_clone_says_what_it_is_for_and_speaks_of_no_files() -> None:
    """What it makes like what, first; settings, places and objects without an address under names that people know."""
    found = {"name": "event_tracking"}
    adopted = ChangeView(address="setting.event_tracking", kind="setting", action="adopt", found=found)
    moved = ChangeView(
        address="stage.sales.a", kind="stage", action="update", attributes=[documents.old("order", 1, 2)]
    )
    document = PlanDocument(environment="b", changes=[adopted, moved], options={"clone": {"from": "a"}})
    names = Names.of(document)
    assert sentences.verdict(document)[0] == "This makes the account of b like that of a."
    assert names.thing(adopted.address) == "setting Event tracking"
    assert (sentences.touched(moved), "files" in sentences.more(adopted)) == ("place", False)
    assert names.mentioned("user_group id 3") == "a user group (id 3)"
    assert "like that of a" in html.plan(document)
    assert "like that of a" in markdown.plan(document)


def test_what_nobody_has_chosen_is_named_as_lost_too() -> None:
    """The verdict counts an option that goes, so its name stands below, and is the one that people see."""
    kept = [{"value": "f", "label": "Free"}, {"value": "ent", "label": "Enterprise"}]
    field = ChangeView(
        address="field.tier", kind="field", action="update", attributes=[documents.old("options", kept, kept[:1])],
        impacts=[ImpactView(count=0, noun="contacts have chosen `ent`", effect="lost")],
    )  # fmt: skip
    document = PlanDocument(changes=[field])
    said = "The contact field Tier loses the option Enterprise."
    for page in (html.plan(document), markdown.plan(document)):
        assert page.index("What is lost") < page.index(said)
    chosen = field.model_copy(
        update={"impacts": [ImpactView(count=2, noun="contacts have chosen `ent`", effect="lost")]}
    )
    assert sentences.losses(chosen, Names([chosen])) == ["2 contacts who chose “Enterprise” lose that answer."]


def test_an_entry_without_a_name_is_told_by_its_members() -> None:
    """As conditions of segments are: nobody reads what a program writes of them."""
    group = {"match": "any", "conditions": [{"object": "tag", "value": {"$ref": "tag.vip"}}]}
    change = ChangeView(
        address="segment.a", kind="segment", action="update", attributes=[documents.old("groups", [], [group])]
    )
    [row] = rows(change, Names([change]))
    assert [one.text for one in row.items] == ["match any, conditions object tag, value Vip"]


def test_several_approvals_have_one_command_in_every_form() -> None:
    """Each alone does not get the plan through."""
    guards = [
        GuardView(name=name, verdict="tripped", message="m", override=f"--allow {name}=1")
        for name in ("max_deletes", "max_records_lost")
    ]
    document = PlanDocument(
        environment="a", guards=guards, changes=[ChangeView(address="tag.a", kind="tag", action="delete")]
    )
    for page in (html.plan(document), markdown.plan(document)):
        assert "--allow max_deletes=1 --allow max_records_lost=1" in page


def test_what_is_moved_away_is_said_also_where_there_is_none_today() -> None:
    """In a sentence, by the name of where it goes."""
    moved = ImpactView(count=0, noun="deals", detail="(moved away first)", effect="moved")
    stage = _deleted("stage", impacts=[moved], on_destroy={"move_deals_to": "stage.sales.won"})
    told = sentences.losses(stage, Names([stage], {"stage.sales.won": "Won", "pipeline.sales": "Sales"}))
    assert told == ["Its deals are moved to the stage Won of Sales first.", "No customer data is lost."]


def test_what_is_lost_is_told_in_one_order() -> None:
    """The page and the comment name the most first, and of what costs nothing the kinds as the screens have them."""
    forty = ImpactView(count=40, noun="contacts carry the tag")
    changes = [_deleted("deal_role"), _deleted("task_type", switches_off=True), _deleted("tag", impacts=[forty])]
    for shown in (html.plan(PlanDocument(changes=changes)), markdown.plan(PlanDocument(changes=changes))):
        told = re.findall(r"The (tag|task type|deal role) \S+ is (?:deleted|switched off)", shown)
        assert told[:3] == ["tag", "task type", "deal role"]


def test_clauses_with_an_and_of_their_own_are_parted() -> None:
    """Two of them in a row read as one list otherwise."""
    again = _deleted("deal_field").model_copy(update={"action": "replace"})
    off = _deleted("task_type", switches_off=True)
    [does, *_] = sentences.verdict(PlanDocument(changes=[again, off]))
    assert does == "This plan deletes one deal field and makes it again, and switches off one task type."


def test_parts_of_a_value_are_told_as_people_say_them() -> None:
    """A permission by what it is about, an option by its label, names of code in quotation marks."""
    flags = documents.old("flags", {"pgDealReassign": True}, {"pgDealReassign": False})
    ent = {"value": "ent", "label": "Enterprise", "default": True}
    options = documents.new("options", [ent])
    change = ChangeView(address="user_group.a", kind="user_group", action="update", attributes=[flags, options])
    permission, chosen = rows(change, Names([change]))
    assert permission.name == "Permissions › Deal reassign"
    assert [one.text for one in chosen.items] == ["Enterprise (chosen by default)"]
    assert sentences.use(UseView(where="segment `VIP`")) == "Used by segment “VIP”."
    guard = GuardView(name="prevent_destroy", verdict="tripped", message="x is protected by `lifecycle`")
    assert "lifecycle" not in cards.card(guard, PlanDocument(), Names(())).why
