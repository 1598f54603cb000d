"""What somebody types into a wrong command line is not printed: it may be a secret, and pipelines keep their logs."""

from __future__ import annotations

import pytest

from reconciler.model.redaction import looks_like_a_credential
from reconciler.resources import load_kinds
from tests.world import World
from tests.world.commands import leaves

WORD = "Tr0ub4dor-3x"
ISSUED = "b1946ac92492d2347c6235b4d2611184f3cafe01b1946ac92492d2347c6235b4d2611184"
GLOBAL = [
    ["--token", "{}", "plan"], ["--token={}", "plan"], ["{}", "plan"], ["--{}", "plan"], ["-{}", "plan"],
    ["--chdir", "{}", "plan"], ["plan", "--format", "{}"], ["plan", "--format", "{}=x.md"], ["plan", "--format={}"],
    ["apply", "--lock-timeout", "{}"], ["ci", "comment", "x", "--pull", "{}"], ["state", "{}"],
    ["state", "restore", "{}"],
    ["completion", "{}"], ["schema", "{}"], ["plan", "{}", "{}"], ["emulator", "serve", "--port", "{}"],
]  # fmt: skip
"""Wrong in ways of their own; besides, every command is tried with more arguments and options than it has."""


@pytest.mark.parametrize("secret", [WORD, ISSUED])
@pytest.mark.parametrize("words", GLOBAL, ids=" ".join)
def test_a_wrong_command_line_does_not_repeat_a_secret(world: World, words: list[str], secret: str) -> None:
    """Whether it is an option, its value, a command or an argument. A folder that is none is named, unless it looks
    like a credential.
    """
    ran = world.cli(*[word.format(secret) for word in words])
    if words[0] == "--chdir" and secret == WORD:
        return
    assert ran.code == (3 if words[0] == "--chdir" else 1), ran.text
    assert secret not in ran.text
    assert "Traceback" not in ran.text


@pytest.mark.parametrize("command", list(leaves()))
def test_no_command_repeats_what_it_has_no_place_for(world: World, command: str) -> None:
    """More arguments than it has, and options that it does not know."""
    any_number = any(parameter.nargs == -1 for parameter in leaves()[command].params)
    more = [] if any_number else [[WORD] * 9]
    for words in (*more, ["--api-key", WORD], [f"--api-key={WORD}"], [f"--{WORD}"]):
        ran = world.cli(*command.split(), *words)
        assert ran.code == (3 if "does not exist" in ran.err else 1), ran.text
        assert WORD not in ran.text, words


@pytest.mark.parametrize(
    "line",
    [
        "explain {}",
        "runs show {}",
        "kinds {}",
        "-e {} plan",
        "show {}",
        "plan --target {}",
        "plan --allow {}",
        "undo {}",
    ],
)
def test_an_error_of_ours_does_not_repeat_what_looks_like_a_credential(world: World, line: str) -> None:
    """It is a name that does not exist; other names are repeated."""
    world.write("tags: {a: {}}")
    ran = world.cli(*line.format(ISSUED).split())
    assert ran.code != 0, ran.text
    assert ISSUED not in ran.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plam", "did you mean 'plan'?"),
        ("plan --fromat json", "--format"),
        ("plan --format jsn", "'jsn' is not one of"),
        ("apply --lock-timeout soon", "'soon' is not a valid float"),
        ("show plans/of-today.json", "plans/of-today.json cannot be read"),
    ],
)
def test_a_slip_is_still_told(world: World, line: str, said: str) -> None:
    """A word that is near to a right one, or plain, cannot be a secret, and helps."""
    assert said in world.cli(*line.split()).text


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (ISSUED, True),
        ("ghp_abcdefgh1234", True),
        ("AGE-SECRET-KEY-1ABCDEFGH", True),
        ("b1946ac92492d2347c6235b4d2611184" * 2, False),
        ("plans/2026-11-28.json", False),
        ("test_every_command_that_reads_1", False),
        ("tag.customers_of_2026", False),
        ("suspected_rename=task_type.c:task_type.a", False),
        ("list_deletes=list.sk_newsletter", False),
        ("key=sk_live_abcdefgh1234", True),
        ("sk-abcdefgh1234", True),
    ],
)
def test_what_looks_like_a_credential(text: str, held: bool) -> None:
    """Long runs of letters and digits, and well-known beginnings; digests and names are none."""
    assert looks_like_a_credential(text) is held


@pytest.mark.parametrize("kind", sorted(load_kinds()))
def test_what_a_guard_prints_about_any_kind_is_taken(world: World, kind: str) -> None:
    """No address looks like a credential."""
    world.write("tags: {a: {}}")
    for yes in (f"suspected_rename={kind}.old_one:{kind}.new_one", f"max_delete_percent={kind}:5"):
        assert world.cli("plan", "--allow", yes).code == 0, yes


def test_a_yes_that_holds_a_credential_of_the_process_is_refused(world: World) -> None:
    """It would be kept with the plan, and told that it overrides nothing."""
    world.environ["AWS_SECRET_ACCESS_KEY"] = "canary/aws/secret-key"
    world.write("tags: {a: {}}")
    ran = world.cli("plan", "--allow", "canary/aws/secret-key")
    assert ran.code == 1
    assert "canary" not in ran.text
