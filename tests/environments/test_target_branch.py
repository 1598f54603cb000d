"""Of a change, only the resources that it declares count: all else is as the target branch says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.facts import Facts
from reconciler.model.project import DECLARES, ENVIRONMENT_DECLARES, Environment, Project
from reconciler.workflow.opening.projects import open_session
from tests.probe.test_facts import write_facts
from tests.world import World

RULING: dict[str, Any] = {
    "version": 1,
    "environments": {
        "demo": {"url": "emulator:state/account.db", "token": "${env.AC_TOKEN}", "state": "file:state/demo.json"}
    },
    "default_environment": "demo",
}
NEW = "age1" + "p" * 58
PROJECT_CHANGES: dict[str, Any] = {
    "required_version": ">=0.0.1",
    "default_environment": "other",
    "config": ["config", "more"],
    "include": [{"source": "shared"}],
    "env": ["AC_OTHER"],
    "ignore": [{"kind": "tag", "key": "x*", "reason": "no"}],
    "policies": [{"name": "p", "message": "No", "deny": {"kind": "pipeline"}}],
    "rules": [{"id": "r", "message": "No", "deny": {"kind": "pipeline"}}],
    "waivers": [{"rule": "p", "reason": "no", "expires": "2027-01-01"}],
    "encryption": {"recipients": [NEW]},
    "outputs": [{"lang": "json", "file": "ids.json", "after_apply": True}],
    "secrets": {"file": "evil.env"},
}
"""Another value of every member, but of `version`, of which there is one, and of the environments."""
ENVIRONMENT_CHANGES: dict[str, Any] = {
    "url": "http://127.0.0.1:9/evil",
    "token": "${env.AWS_SECRET_ACCESS_KEY}",
    "account": "evil",
    "state": "file:state/evil.json",
    "variables": {"team": "Sales"},
    "overlays": ["prod.yaml"],
    "requests_per_second": 9000.0,
    "production": True,
    "guards": {"max_deletes": 99},
    "history": 0,
    "encryption": {"recipients": [NEW]},
    "facts": "other",
    "notify": "https://127.0.0.1:9/evil",
    "secrets": {"command": ["touch", "evil"]},
}


@pytest.fixture
def git(world: World) -> World:
    """A repository whose main holds the ruling project."""
    world.write(RULING, "reconciler.yaml")
    world.write("tags: {a: {}}")
    world.write("tags: {b: {}}", "more/b.yaml")
    world.write("tags: {c: {}}", "shared/c.yaml")
    world.write("tags: {a: {description: of prod}}", "prod.yaml")
    world.write("variables: {team: {default: Support}}", "config/variables.yaml")
    world.environ |= {"AC_TOKEN": "right", "AWS_SECRET_ACCESS_KEY": "canary-of-the-runner"}
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "main"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=world.folder, check=True)
    return world


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The ruling project with another value at a path."""
    content: dict[str, Any] = json.loads(json.dumps(RULING))
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    if value == "other":
        content["environments"]["other"] = RULING["environments"]["demo"] | {"url": "emulator:state/other.db"}
    return content


PATHS = [
    *((name,) for name in Project.model_fields if name not in ("version", "environments")),
    *(("environments", "demo", name) for name in Environment.model_fields),
]


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_every_member_but_declarations_comes_from_the_target_branch(git: World, path: tuple[str, ...]) -> None:
    """The table is made of the model: a member that is new comes from the target branch, unless somebody decides
    otherwise, and has to have another value here.
    """
    changes = ENVIRONMENT_CHANGES if len(path) > 1 else PROJECT_CHANGES
    declares = ENVIRONMENT_DECLARES if len(path) > 1 else DECLARES
    git.write(changed(path, changes[path[-1]]), "reconciler.yaml")
    files = {one.relative_to(git.folder) for one in git.folder.rglob("*") if ".git" not in one.parts}
    ran = git.cli("plan", "--guards-from", "main", "--format", "json", "--out", "plan.json")
    document = json.loads(ran.out)
    guards = {guard["name"]: guard for guard in document["guards"] if guard["verdict"] == "tripped"}
    if path[-1] in declares:
        assert (ran.code, guards) == (0, {}), ran.text
        shown = ran.out + git.cli("explain", "tag.a").out
        assert {"config": "tag.b", "variables": "tag.a", "overlays": "of prod", "outputs": "tag.a"}[path[-1]] in shown
        return
    assert (ran.code, list(guards)) == (7, ["environment_changed"]), ran.text
    assert f"`{'.'.join(path)}`" in guards["environment_changed"]["message"]
    assert document["account"] == "emulator:state/account.db"
    assert [change["address"] for change in document["changes"]] == ["tag.a"]
    assert {one.relative_to(git.folder) for one in git.folder.rglob("*") if ".git" not in one.parts} - files <= {
        Path("plan.json")
    }
    assert "canary-of-the-runner" not in ran.text + (git.folder / "plan.json").read_text("utf-8")
    comment = git.cli("ci", "body", "plan.json").out
    assert "environment_changed" in comment.replace("\\_", "_")
    assert ".".join(path).replace("_", "\\_") in comment or ".".join(path) in comment
    yes = guards["environment_changed"]["override"].split()
    assert git.cli("plan", "--guards-from", "main", *yes).code == 0, "exactly this was said yes to"
    assert git.cli("plan", "--guards-from", "main", "--allow", "environment_changed=00000000").code == 7


def test_every_member_has_another_value_here() -> None:
    """A new member of the project file fails the table until it is in it."""
    assert {*PROJECT_CHANGES, "version", "environments"} == set(Project.model_fields)
    assert set(ENVIRONMENT_CHANGES) == set(Environment.model_fields)
    assert set(Project.model_fields) >= DECLARES
    assert set(Environment.model_fields) >= ENVIRONMENT_DECLARES


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path[-1] not in DECLARES | ENVIRONMENT_DECLARES], ids=".".join
)
def test_settings_are_those_of_the_target_branch(git: World, path: tuple[str, ...]) -> None:
    """What a session is opened with does not move with the change."""
    changes = ENVIRONMENT_CHANGES if len(path) > 1 else PROJECT_CHANGES
    before = open_session(git.folder, "demo", offline=True, guards_from="main")
    git.write(changed(path, changes[path[-1]]), "reconciler.yaml")
    after = open_session(git.folder, "demo", offline=True, guards_from="main")
    assert after.settings == before.settings
    assert after.project.project == before.project.project
    assert after.state_url == before.state_url


def test_an_apply_of_a_plan_that_was_made_elsewhere_is_judged_again(git: World) -> None:
    """A pipeline of the change may plan without the target branch: apply asks again, and writes nothing."""
    git.write(changed(("environments", "demo", "history"), 0), "reconciler.yaml")
    assert git.cli("plan", "--out", "plan.json").code == 0
    for command in (["apply", "plan.json"], ["apply", "--auto-approve"], ["ci", "guard", "plan.json"]):
        ran = git.cli(*command, "--guards-from", "main")
        assert (ran.code, "environment_changed" in ran.text) == (7, True), ran.text
    assert not git.writes()


def test_a_change_of_the_project_file_alone_is_told_and_passes(git: World) -> None:
    """Where nothing is to do, the comment says what is changed, and the check is green."""
    assert git.cli("apply", "--auto-approve").code == 0
    git.write(changed(("environments", "demo", "url"), "https://evil.example"), "reconciler.yaml")
    ran = git.cli("plan", "--guards-from", "main", "--out", "plan.json")
    assert (ran.code, "environment_changed, please note" in ran.out.replace("\n", " ")) == (0, True), ran.text
    assert "environments.demo.url" in git.cli("ci", "body", "plan.json").out


def test_an_environment_that_the_target_branch_does_not_know_is_not_asked(git: World) -> None:
    """Neither a new name nor another default leads to another host."""
    content: dict[str, Any] = json.loads(json.dumps(RULING))
    content["environments"]["fresh"] = {"url": "http://127.0.0.1:9", "token": "${env.AWS_SECRET_ACCESS_KEY}"}
    git.write(content, "reconciler.yaml")
    ran = git.cli("plan", "--env", "fresh", "--guards-from", "main")
    assert (ran.code, "does not know the environment `fresh`" in ran.err) == (7, True), ran.text
    del content["environments"]["demo"]
    content["default_environment"] = "fresh"
    git.write(content, "reconciler.yaml")
    ran = git.cli("plan", "--guards-from", "main")
    assert (ran.code, "`environments.fresh`" in ran.out) == (7, True), ran.text


def test_a_target_branch_that_is_wrong_says_which_one_it_is(git: World) -> None:
    """What is wrong is not in the files that the author sees."""
    text = (git.folder / "reconciler.yaml").read_text("utf-8")
    git.write(yaml.safe_dump({**yaml.safe_load(text), "nonsense": 1}), "ruling.yaml")
    ran = git.cli("plan", "--guards-from", "file:ruling.yaml")
    assert (ran.code, "in file:ruling.yaml" in ran.err) == (3, True), ran.text


def test_nothing_can_stand_in_for_the_target_branch(git: World) -> None:
    """A tag or another branch that is called like it: Git would take the tag. Written out, it is the branch."""
    git.write(changed(("environments", "demo", "history"), 0), "reconciler.yaml")
    for arguments in (["commit", "-q", "-am", "evil"], ["tag", "origin/main"], ["tag", "main"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=git.folder, check=True)
    for arguments in (
        ["update-ref", "refs/remotes/origin/main", "HEAD~1"],
        ["update-ref", "refs/heads/main", "HEAD~1"],
    ):
        subprocess.run(["git", *arguments], cwd=git.folder, check=True)
    for name in ("origin/main", "main"):
        ran = git.cli("plan", "--guards-from", name)
        assert (ran.code, "several things here" in ran.err) == (3, True), ran.text
    for name in ("refs/remotes/origin/main", "refs/heads/main"):
        ran = git.cli("plan", "--guards-from", name)
        assert (ran.code, "environment_changed" in ran.out) == (7, True), ran.text


PACK = "rules: [{id: small, message: Small letters, deny: {kind: tag, attribute: name, unless_matches: '^[a-z]'}}]\n"


def test_rules_packs_and_waivers_are_those_of_the_target_branch(git: World) -> None:
    """A change cannot take the rule out of the pack that it breaks, nor waive it, nor change a parameter of it."""
    git.write(PACK, "shared/c.yaml")
    git.write(RULING | {"include": [{"source": "shared"}]}, "reconciler.yaml")
    identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
    for arguments in (["add", "-A"], ["commit", "-q", "-m", "pack"]):
        subprocess.run(["git", *identity, *arguments], cwd=git.folder, check=True)
    git.write("tags: {a: {name: A}}")
    waiver = {"rule": "small", "reason": "mine", "expires": "2027-01-01"}
    assert git.cli("validate", "--guards-from", "main").code == 7
    git.write(PACK.replace("[a-z]", "."), "shared/c.yaml")
    assert git.cli("validate").code == 0, "its own rules would let it pass"
    for command in (["plan"], ["apply", "--auto-approve"], ["validate"]):
        ran = git.cli(*command, "--guards-from", "main")
        assert (ran.code, "small" in ran.text) == (7, True), ran.text
    git.write(RULING | {"include": [{"source": "shared"}], "waivers": [waiver]}, "reconciler.yaml")
    ran = git.cli("validate", "--guards-from", "main")
    assert (ran.code, "rule-small" in ran.text) == (7, True), ran.text
    assert not git.writes()


def test_facts_that_come_with_a_change_count_for_nothing(git: World) -> None:
    """Neither the account's own nor borrowed ones: whoever proposes a change may propose what is known, too."""
    write_facts(git, {"list_update": "merge", "bulk_options": "append"})
    assert git.session().facts.own("list_update", "merge")
    judged = open_session(git.folder, "demo", runtime=git.session().runtime, guards_from="main")
    assert judged.facts == Facts()
    assert all(kind.facts == Facts() for kind in judged.kinds.values())
    write_facts(git, {"list_update": "merge"}, "emulator:state/other.db", "other")
    git.write(changed(("environments", "demo", "facts"), "other"), "reconciler.yaml")
    for command in (("plan",), ("rehearse",)):
        ran = git.cli(*command, "--guards-from", "main")
        assert "probed on" not in ran.text, ran.text
