"""Baselines from Git: locked by digest, read from a cache that is not believed, fetched without running anything."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.baseline import digest_of, parse_baseline
from reconciler.model.errors import ReconcilerError
from reconciler.store import baselines as store
from reconciler.store.baselines import GitBaselines
from reconciler.store.programs import run_program
from tests.world import World

PROJECT = """
include:
  - {source: "git+file:../base@v1//crm", variables: {brand: Acme}, prefix: b_}
"""
BASE = """
variables: {brand: {type: string}}
tags:
  customer: {name: Customer, description: "Bought from ${var.brand}"}
rules:
  - {id: names, message: Long names, deny: {kind: tag, attribute: name, above: 20}}
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a repository that is made where there is none; return what it prints."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=folder, check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
    ran = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return ran.stdout.strip()


@pytest.fixture
def base(world: World, tmp_path: Path) -> Path:
    """A repository beside the project, with a baseline at v1."""
    folder = world.folder.parent / "base"
    (folder / "crm").mkdir(parents=True)
    (folder / "crm" / "tags.yaml").write_text(BASE, "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "v1")
    world.environ |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8") + PROJECT, "utf-8")
    world.write("tags: {own: {}}")
    return folder


def change(folder: Path, text: str, tag: str) -> None:
    """Commit another baseline, and (re)set a tag to it."""
    (folder / "crm" / "tags.yaml").write_text(text, "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", tag)
    git(folder, "tag", "-f", tag)


def test_a_baseline_is_locked_looked_at_and_used(world: World, base: Path) -> None:
    """Without a lock nothing is read; `update` shows the plan of each environment and locks; another version is shown
    as the plan that it makes; offline all comes from the cache.
    """
    ran = world.cli("plan")
    assert (ran.code, "[not-locked]" in ran.err, "reconciler update" in ran.err) == (3, True, True), ran.text
    ran = world.cli("update")
    assert (ran.code, "+ tag.b_customer" in ran.out) == (0, True), ran.text
    assert not world.writes()
    assert world.cli("apply", "--auto-approve").code == 0
    change(base, BASE.replace("Customer,", "Buyer,"), "v2")
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("@v1", "@v2"), "utf-8")
    before = (world.folder / "reconciler.lock").read_bytes()
    ran = world.cli("update", "--check")
    assert (ran.code, '"Customer" -> "Buyer"' in ran.out, "from v1" in ran.out) == (2, True, True), ran.text
    assert (world.folder / "reconciler.lock").read_bytes() == before
    assert world.cli("update").code == 0
    base.rename(base.with_name("gone"))
    for command in ("validate", "plan", "drift"):
        ran = world.cli(command)
        assert ran.code == 0, f"{command} needs no repository: {ran.text}"
    short = "{id: short, message: Short, deny: {kind: tag, attribute: name, above: 3}}"
    project.write_text(f"{project.read_text('utf-8')}rules: [{short}]\n", "utf-8")
    [row] = json.loads(world.cli("validate", "--format", "gitlab").out)
    assert row["location"]["path"] == "reconciler.yaml", "a baseline is no file of the repository"
    assert "base@v2//crm/tags.yaml:4" in row["description"]


def test_other_content_than_what_is_locked_is_refused(world: World, base: Path) -> None:
    """A tag that is set anew changes nothing; a lock that says another content, and a cache that somebody wrote into,
    are not believed.
    """
    assert world.cli("update").code == 0
    cache = Path(world.environ["XDG_CACHE_HOME"]) / "reconciler" / "baselines"
    change(base, BASE.replace("Customer,", "Evil,"), "v1")
    for path in cache.glob("*.json"):
        path.write_text(json.dumps({"tags.yaml": BASE.replace("Customer,", "Evil,")}), "utf-8")
    ran = world.cli("plan")
    assert (ran.code, "Customer" in ran.out, "Evil" in ran.text) == (0, True, False), ran.text
    for path in cache.glob("*.json"):
        path.unlink()
    ran = world.cli("validate")
    assert (ran.code, "--locked" in ran.err) == (3, True), "nothing is fetched by what needs no network"
    lock = world.folder / "reconciler.lock"
    found = json.loads(lock.read_text("utf-8"))
    found["baselines"]["git+file:../base@v1//crm"]["digest"] = "0" * 64
    lock.write_text(json.dumps(found), "utf-8")
    ran = world.cli("plan")
    assert (ran.code, "does not hold what reconciler.lock says" in ran.err) == (7, True), ran.text


@pytest.mark.parametrize("folder", ["@v1//crm", "@v1//sales", "@main//crm"])
def test_a_tag_that_was_moved_is_told(world: World, base: Path, folder: str) -> None:
    """From which commit to which, also where another folder of the repository is included by it now, and where the
    files are the same. A branch moves, and that is no warning.
    """
    project = world.folder / "reconciler.yaml"
    branch = folder.startswith("@main")
    if branch:
        project.write_text(project.read_text("utf-8").replace("@v1//crm", folder), "utf-8")
    assert world.cli("update").code == 0
    old = git(base, "rev-parse", "HEAD")
    (base / "sales").mkdir()
    (base / "sales" / "tags.yaml").write_text(BASE, "utf-8")
    change(base, BASE.replace("Customer,", "Buyer,"), "v1")
    new = git(base, "rev-parse", "HEAD")
    project.write_text(project.read_text("utf-8").replace("@v1//crm", folder), "utf-8")
    for options, code in (["--check"], 2), (["--check", "--format", "json"], 2), ([], 0):
        ran = world.cli("update", *options)
        assert ran.code == code, ran.text
        assert ("from v1 to v1" in ran.text) is False
        assert (f"warning: THE TAG WAS MOVED: git+file:../base{folder} was {old}, and is {new} now" in ran.err) is (
            not branch
        ), ran.text
    assert folder != "@main//crm" or f"and was {old[:12]}: it has moved on" in ran.out
    assert "TAG WAS MOVED" not in world.cli("update").text, "what was locked since is not told again"
    git(base, "commit", "-q", "--allow-empty", "-m", "same files")
    git(base, "tag", "-f", "v1")
    ran = world.cli("update", "--check")
    assert (ran.code, "it holds what it held" in ran.out) == (0, True), ran.text
    assert ("TAG WAS MOVED" in ran.err) is not branch


@pytest.mark.parametrize("wrong", ["@v1//nope", "@v9//crm", "@v1//sub"])
def test_a_baseline_that_is_not_there_is_wrong_input(world: World, base: Path, wrong: str) -> None:
    """A folder, a version, and a folder with no YAML in it; nothing is locked."""
    (base / "sub").mkdir()
    (base / "sub" / "x.txt").touch()
    git(base, "add", "-A")
    git(base, "commit", "-q", "-m", "two")
    git(base, "tag", "-f", "v1")
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("@v1//crm", wrong), "utf-8")
    ran = world.cli("update")
    assert (ran.code, (world.folder / "reconciler.lock").exists()) == (3, False), ran.text


def test_why_nothing_was_fetched_is_told(world: World, base: Path) -> None:
    """What Git says is wrong is repeated, and not the last line of the advice after it."""
    base.rename(base.parent / "moved")
    ran = world.cli("update")
    said = " ".join(ran.err.split())
    assert (ran.code, "cannot be fetched: fatal:" in said, "repository exists" in said) == (1, True, False), ran.text


def test_requests_fetch_nothing_of_their_own(world: World, base: Path) -> None:
    """In a pipeline of a request, what its own project file names is not fetched, and nothing is locked; files of a
    configuration never name a repository.
    """
    world.environ["GITHUB_EVENT_NAME"] = "pull_request"
    assert world.cli("update").code == 3
    del world.environ["GITHUB_EVENT_NAME"]
    assert world.cli("update").code == 0
    world.environ["GITHUB_EVENT_NAME"] = "pull_request"
    for path in (Path(world.environ["XDG_CACHE_HOME"]) / "reconciler" / "baselines").glob("*.json"):
        path.unlink()
    ran = world.cli("plan")
    assert (ran.code, "--guards-from" in ran.err) == (3, True), ran.text
    world.write('include: [{source: "git+https://evil.example/x@v1"}]', "config/more.yaml")
    ran = world.cli("validate")
    assert (ran.code, "[misplaced-include]" in ran.err) == (3, True), ran.text


@pytest.mark.parametrize(
    "written",
    [
        "git+https://user:hush@host.example/repo@v1",
        "git+https://hush@host.example/repo@v1",
        "git+ssh://-oProxyCommand=touch/repo@v1",
        "git+ext::sh -c touch@v1",
        "git+http://host.example/repo@v1",
        "git+https://host.example/repo",
        "git+https://host.example/repo@--upload-pack=x",
        "git+https://host.example/repo@v1//../other",
        "git+https://host.example/repo@v1//-x",
        "git+https://host.example/repo@a..b",
        "git+https://host.example/re po@v1",
        "git+https://host.example/repo?token=hush@v1",
        "git+file:-x@v1",
    ],
)
def test_what_could_be_an_option_or_a_credential_is_no_baseline(world: World, written: str) -> None:
    """Nothing of it reaches Git, and no credential is shown."""
    with pytest.raises(ValueError, match=r"."):
        parse_baseline(written)
    world.write("tags: {a: {}}")
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8") + f"include: [{{source: '{written}'}}]\n", "utf-8")
    ran = world.cli("plan")
    assert ran.code == 3
    assert "hush" not in ran.text


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("git+https://host.example/a/b.git@v3//crm", ("https://host.example/a/b.git", "v3", "crm")),
        ("git+ssh://git@host.example:2222/a/b@release/1.2", ("ssh://git@host.example:2222/a/b", "release/1.2", "")),
        ("git+file:///srv/base@" + "a" * 40 + "//x/y", ("file:///srv/base", "a" * 40, "x/y")),
    ],
)
def test_the_form_of_a_baseline(written: str, parts: tuple[str, str, str]) -> None:
    """Repository, version and folder."""
    found = parse_baseline(written)
    assert (found.url, found.version, found.folder) == parts


def test_links_submodules_and_large_ones_are_refused(world: World, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only regular files of a bounded size are read, and a hook of the repository never runs."""
    hook = base / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {base}/ran\n", "utf-8")
    hook.chmod(0o755)
    reads = GitBaselines(world.folder, world.environ)
    one = parse_baseline("git+file:../base@v1//crm")
    assert list(reads.texts(one, reads.version_of(one).commit)) == ["tags.yaml"]
    assert not (base / "ran").exists()
    monkeypatch.setattr(store, "MOST_BYTES", 10)
    with pytest.raises(ReconcilerError, match="larger than a baseline"):
        reads.texts(one, reads.version_of(one).commit)
    (base / "crm" / "passwd.yaml").symlink_to("/etc/passwd")
    git(base, "add", "-A")
    git(base, "commit", "-q", "-m", "link")
    git(base, "tag", "link")
    linked = parse_baseline("git+file:../base@link//crm")
    with pytest.raises(ReconcilerError, match="a link, which is not followed"):
        reads.texts(linked, reads.version_of(linked).commit)
    git(base, "branch", "v1")
    with pytest.raises(ReconcilerError, match="a tag and a branch"):
        reads.version_of(one)


def test_a_damaged_cache_is_none(tmp_path: Path) -> None:
    """What is not the files of this digest is fetched again, whatever it is."""
    texts = {"a.yaml": "tags: {}\n", "na me ü.yaml": ""}
    store.keep(tmp_path, texts)
    assert store.cached(tmp_path, digest_of(texts)) == texts
    for damaged in (b"", b"\xff", b"[1]", b'{"a.yaml": 1}', b'{"a.yaml": "x"}', b'{"a": "\\ud800"}', b"[" * 100_000):
        (tmp_path / f"{digest_of(texts)}.json").write_bytes(damaged)
        assert store.cached(tmp_path, digest_of(texts)) is None, damaged[:20]


def test_the_files_of_a_baseline_are_asked_of_one_git(
    world: World, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one for each file, of which every one might take its two minutes. Any name and any content comes through."""
    texts = {"na me.yaml": "", 'ünï\n\t"x.yaml': "tags: {}\n\n", "sub/z.yml": "no end of line: \u2028"}
    for name, text in texts.items():
        (base / "more" / name).parent.mkdir(parents=True, exist_ok=True)
        (base / "more" / name).write_text(text, "utf-8")
    git(base, "add", "-A")
    git(base, "commit", "-q", "-m", "more")
    git(base, "tag", "more")
    ran: list[Any] = []

    def counted(*arguments: Any, **more: Any) -> Any:
        ran.append(arguments)
        return run_program(*arguments, **more)

    monkeypatch.setattr("reconciler.store.baselines.run_program", counted)
    reads = GitBaselines(world.folder, world.environ)
    one = parse_baseline("git+file:../base@more//more")
    assert reads.texts(one, reads.version_of(one).commit) == texts
    assert len(ran) <= 6
    none = parse_baseline("git+file:../base@more//nope")
    with pytest.raises(ReconcilerError, match="has no folder `nope` at more"):
        reads.texts(none, reads.version_of(none).commit)


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was used longest ago goes."""
    monkeypatch.setattr(store, "KEPT", 3)
    for number in range(5):
        store.keep(tmp_path, {"a.yaml": str(number)})
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_a_change_to_another_version_is_planned_as_the_target_branch_says(world: World, base: Path) -> None:
    """The project file of a request names a version that the target branch does not: its plan is that of the target
    branch, and says so; what is locked there is fetched, and the rules are those that it locks.
    """
    assert world.cli("update").code == 0
    assert world.cli("apply", "--auto-approve").code == 0
    git(world.folder, "add", "-A")
    git(world.folder, "commit", "-q", "-m", "main")
    change(base, BASE.replace("Customer,", "Buyer,").replace("above: 20", "above: 2000"), "v2")
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("@v1", "@v2"), "utf-8")
    assert world.cli("update").code == 0
    cache = Path(world.environ["XDG_CACHE_HOME"]) / "reconciler" / "baselines"
    for path in cache.glob("*.json"):
        path.unlink()
    world.environ["CI_MERGE_REQUEST_IID"] = "1"
    ran = world.cli("update", "--locked", "--guards-from", "main")
    assert (ran.code, len(list(cache.glob("*.json")))) == (0, 2), "both of a repository that is known"
    base.rename(base.with_name("gone"))
    ran = world.cli("plan", "--guards-from", "main")
    assert (ran.code, "No changes" in ran.out, "`include`" in ran.text) == (0, True, True), ran.text
    world.write('tags: {own: {name: "A name of more than twenty characters"}}')
    ran = world.cli("plan", "--guards-from", "main")
    assert (ran.code, "rule b_names" in ran.out) == (7, True), ran.text


def merged(world: World) -> None:
    """Let what stands now be the target branch."""
    git(world.folder, "add", "-A")
    git(world.folder, "commit", "-q", "-m", "main")


def test_a_request_shows_another_version_by_the_settings_of_the_target_branch(world: World, base: Path) -> None:
    """`update --check` follows a repository that the target branch names, to the version that the request does; of the
    account, the secrets and the guards it takes the target branch's word. Another repository is not followed.
    """
    assert world.cli("update").code == 0
    assert world.cli("apply", "--auto-approve").code == 0
    merged(world)
    change(base, BASE.replace("Customer,", "Buyer,"), "v2")
    project = world.folder / "reconciler.yaml"
    before = project.read_text("utf-8")
    project.write_text(before.replace("@v1", "@v2").replace("state/account.db", "state/evil.db"), "utf-8")
    world.environ["GITHUB_EVENT_NAME"] = "pull_request"
    ran = world.cli("update", "--check")
    assert (ran.code, "follows no Git repository" in ran.err, "Buyer" in ran.text) == (7, True, False), ran.text
    ran = world.cli("update", "--check", "--guards-from", "main")
    assert (ran.code, '"Customer" -> "Buyer"' in ran.out) == (2, True), ran.text
    assert "environment_changed" in ran.out
    assert not (world.folder / "state" / "evil.db").exists()
    project.write_text(before.replace("git+file:../base@v1", "git+https://evil.example/base@v1"), "utf-8")
    ran = world.cli("update", "--check", "--guards-from", "main")
    assert (ran.code, "names no repository https://evil.example/base" in ran.err) == (7, True), ran.text


def test_what_a_request_locks_does_not_count(world: World, base: Path) -> None:
    """Another commit of a repository that the target branch names is nothing that it names: a server may hand out
    commits of anybody. `validate` reads what `update --locked` brought, which is what the request locks itself.
    """
    assert world.cli("update").code == 0
    merged(world)
    change(base, BASE.replace("Customer,", "Evil,"), "v2")
    lock, project = world.folder / "reconciler.lock", world.folder / "reconciler.yaml"
    before = project.read_text("utf-8")
    project.write_text(before.replace("@v1", "@v2"), "utf-8")
    assert world.cli("update").code == 0
    [evil] = json.loads(lock.read_text("utf-8"))["baselines"].values()
    for path in (Path(world.environ["XDG_CACHE_HOME"]) / "reconciler" / "baselines").glob("*.json"):
        path.unlink()
    world.environ["BITBUCKET_PR_ID"] = "1"
    assert world.cli("validate").code == 3
    ran = world.cli("update", "--locked", "--guards-from", "main")
    assert (ran.code, "@v1" in ran.text, "@v2" in ran.text) == (0, True, True), ran.text
    assert world.cli("validate").code == 0
    project.write_text(before, "utf-8")
    content = json.loads(lock.read_text("utf-8"))
    content["baselines"] = {"git+file:../base@v1//crm": evil}
    lock.write_text(json.dumps(content), "utf-8")
    ran = world.cli("plan", "--guards-from", "main")
    assert (ran.code, "Customer" in ran.out, "Evil" in ran.text) == (0, True, False), ran.text


COMMANDS = (
    "plan",
    "apply --auto-approve",
    "validate",
    "drift",
    "coverage",
    "export --out exported",
    "graph",
    "handbook --out pages",
    "ids --lang json",
    "explain tag.b_customer",
    "test",
    "ci drift",
    "update",
    "update --check",
    "update --locked",
    "doctor",
)


@pytest.mark.parametrize("secrets", [{"command": ["vault"]}, {"file": "/etc/hostname"}, {"file": "own.env"}], ids=str)
def test_no_command_follows_what_only_a_request_names(
    world: World, base: Path, secrets: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the word of the target branch, no command runs a program or reads a file of secrets, nor fetches."""
    followed: list[object] = []
    monkeypatch.setattr(
        "reconciler.workflow.opening.secrets.run_program", lambda *given, **more: followed.append(given)
    )
    monkeypatch.setattr("reconciler.workflow.opening.secrets.read_regular", lambda *given: followed.append(given))
    monkeypatch.setattr("reconciler.store.baselines.run_program", lambda *given, **more: followed.append(given))
    world.environ["CHANGE_ID"] = "7"
    path = world.folder / "reconciler.yaml"
    entry = {"commit": "a" * 40, "digest": "b" * 64}
    lock = {"format_version": "1.0", "baselines": {"git+file:../base@v1//crm": entry}}
    (world.folder / "reconciler.lock").write_text(json.dumps(lock), "utf-8")
    included = path.read_text("utf-8") + f"secrets: {json.dumps(secrets)}\n"
    hook = 'webhooks: {w: {name: W, url: "https://a.example/${secret.K}", events: [deal_add], sources: [api]}}'
    world.write(hook, "config/hook.yaml")
    for text in (included, included.partition("include:")[0] + f"secrets: {json.dumps(secrets)}\n"):
        path.write_text(text, "utf-8")
        for command in COMMANDS if "command" in secrets else COMMANDS[:2]:
            ran = world.cli(*command.split())
            assert not followed, (command, ran.text)
            if command in ("plan", "apply --auto-approve"):
                assert (ran.code, "--guards-from" in ran.err) == (3 if "include:" in text else 7, True), ran.text
