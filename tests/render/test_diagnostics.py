"""Problems in configurations: as text, JSON, SARIF, GitHub and GitLab annotations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema

from reconciler.model.diagnostics import Diagnostic, Position
from reconciler.render import machine, text
from reconciler.render.annotations import concerns
from tests.render import documents
from tests.render.golden import assert_golden

UNKNOWN = Diagnostic(
    "unknown attribute `nam`",
    Position("config/crm.yaml", 12, 5),
    "did you mean `name`?",
    "    nam: VIP",
    code="unknown-attribute",
    length=3,
)
LONG = Diagnostic(
    "ambiguous: `yes` is text in YAML 1.2",
    Position("config/crm.yaml", 140, 150),
    excerpt="\tname: " + "x" * 142 + "yes" + "y" * 50,
    code="ambiguous-scalar",
    severity="warning",
    length=3,
)
WIDE = Diagnostic(
    "twin keys", Position("config/日本.yaml", 3, 7), excerpt="日本: {a: 1, a: 2}", code="twin-keys", length=1
)
NOWHERE = Diagnostic("no environment is declared", hint="add one to reconciler.yaml", code="no-environment")
ALL = [UNKNOWN, LONG, WIDE, NOWHERE]


@pytest.mark.parametrize("width", [60, 120])
def test_problems_read_as_approved(width: int) -> None:
    """Place, message, source line with a caret, hint, and the counts."""
    assert_golden(f"diagnostics-{width}.txt", text.diagnostics(ALL, width=width))


def test_the_caret_points_at_the_place() -> None:
    """The caret stands under the column, as long as what is meant."""
    lines = text.diagnostics([UNKNOWN]).splitlines()
    assert lines[0] == "config/crm.yaml:12:5: error: unknown attribute `nam` [unknown-attribute]"
    assert lines[2].index("^^^") == lines[1].index("nam")
    assert lines[3] == "  hint: did you mean `name`?"


def test_the_caret_is_under_its_place_in_long_and_in_wide_lines() -> None:
    """The part of a long line that matters is shown; wide characters before the place take two columns."""
    long_line, caret = (line for line in text.diagnostics([LONG], width=60).splitlines() if " | " in line)
    assert long_line[caret.index("^") :].startswith("yes")
    assert len(long_line) <= 60
    caret = text.diagnostics([WIDE]).splitlines()[2]
    assert caret.index("^") == len("  3 | ") + 2 * len("日本") + len(": ") + len("{a"[:2])


def test_no_problems_say_nothing() -> None:
    """An empty list is an empty text."""
    assert text.diagnostics([]) == ""


def test_source_lines_cannot_steer_the_terminal() -> None:
    """Control characters in an excerpt take one column and do nothing."""
    evil = Diagnostic("bad \x1b[2J", Position("a.yaml", 1, 3), "\x07", excerpt="\x1b[31mred", code="x")
    assert not [character for character in text.diagnostics([evil]) if ord(character) < 32 and character != "\n"]


def test_json_carries_every_member() -> None:
    """Machines get counts and every member of each problem."""
    content = json.loads(machine.diagnostics_json(ALL))
    assert (content["valid"], content["error_count"], content["warning_count"]) == (False, 3, 1)
    assert content["diagnostics"][0] == {
        "severity": "error",
        "code": "unknown-attribute",
        "message": "unknown attribute `nam`",
        "hint": "did you mean `name`?",
        "file": "config/crm.yaml",
        "line": 12,
        "column": 5,
        "length": 3,
        "excerpt": "    nam: VIP",
    }
    assert json.loads(machine.diagnostics_json([]))["valid"] is True


def test_sarif_has_rules_places_and_stable_fingerprints() -> None:
    """Each result names its rule and a place that a host can resolve; a fingerprint survives a moved line."""
    run = _sarif(ALL)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [problem.code for problem in ALL]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "config/crm.yaml"
    assert place["region"] == {"startLine": 12, "startColumn": 5, "endColumn": 8, "snippet": {"text": "    nam: VIP"}}
    assert (
        run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "config/%E6%97%A5%E6%9C%AC.yaml"
    )
    moved = Diagnostic(UNKNOWN.message, Position("config/crm.yaml", 99, 5), code=UNKNOWN.code)
    assert _sarif([moved])["results"][0]["partialFingerprints"] == run["results"][0]["partialFingerprints"]


def _sarif(problems: list[Diagnostic]) -> dict[str, Any]:
    log = json.loads(machine.diagnostics_sarif(problems, tool_version="0.1.0"))
    assert log["version"] == "2.1.0"
    run: dict[str, Any] = log["runs"][0]
    return run


def test_sarif_keeps_to_the_published_schema() -> None:
    """The models made from the official SARIF 2.1.0 schema, which forbid unknown members, accept both logs."""
    schema = StaticAnalysisResultsFormatSarifVersion210JsonSchema
    for log in (machine.diagnostics_sarif(ALL, tool_version="0.1.0"), machine.plan_sarif(documents.refused())):
        assert len(schema.model_validate_json(log).runs) == 1


def test_twins_have_fingerprints_of_their_own() -> None:
    """GitLab drops entries with the same fingerprint, so the second of two equal problems gets another one."""
    entries = json.loads(machine.diagnostics_gitlab([UNKNOWN, UNKNOWN]))
    assert len({entry["fingerprint"] for entry in entries}) == 2
    assert entries[0]["location"] == {"path": "config/crm.yaml", "lines": {"begin": 12}}


def test_github_commands_are_escaped() -> None:
    """Commas and colons in properties, percent signs and line ends everywhere."""
    odd = Diagnostic("100 %\nsure", Position("a,b:c.yaml", 1, 2), "try\nthis", code="odd")
    assert machine.diagnostics_github([odd]) == (
        "::error file=a%2Cb%3Ac.yaml,line=1,col=2,endColumn=3,title=odd::100 %25\\x0asure%0Ahint: try\\x0athis\n"
    )


def test_a_plans_concerns_are_annotated_where_they_come_from() -> None:
    """Everything that a plan is stopped or warned by has a place: that of the first address it names."""
    found = {problem.code: problem for problem in concerns(documents.refused())}
    assert found["guard-max-records-lost"].at == Position("config/crm.yaml", 40, 3)
    assert found["guard-max-records-lost"].severity == "error"
    assert "--allow max_records_lost=12749" in found["guard-max-records-lost"].hint
    assert found["guard-max-deletes"].severity == "warning"
    assert found["finding"].message == "webhook.crm_sync: the account does not know `deal_ad`"
    assert set(found) >= {"manual-step", "not-planned", "plan-warning", "guard-policy-tags-are-lower-case"}
    assert "guard-empty-configuration" not in found


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab"])
def test_a_plans_annotations_read_as_approved(form: str) -> None:
    """What a code host shows beside a pull request that plans all of this."""
    views = {"sarif": machine.plan_sarif, "github": machine.plan_github, "gitlab": machine.plan_gitlab}
    assert_golden(f"concerns.{form}", views[form](documents.refused()))
