"""Saved plans: applied exactly as reviewed, or refused object by object."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.document import digest
from tests.world import Killed, World

TAGS = "tags: {a: {name: A}, b: {name: B}, c: {name: C}, d: {name: D}}"


def save(world: World, *argv: str) -> Path:
    """Plan into a file."""
    ran = world.cli("plan", "--out", str(world.folder / "plan.json"), *argv)
    assert ran.code in (0, 7), ran.text
    return world.folder / "plan.json"


def apply(world: World, path: Path, *argv: str) -> Any:
    """Apply the file, with the log of requests emptied before."""
    world.forget()
    return world.cli("apply", *argv, str(path))


def edit(path: Path, change: Callable[[dict[str, Any]], None], *, seal: bool = False) -> None:
    """Change the document in a file; with `seal` its digest fits again, as if it had been written like that."""
    content = json.loads(path.read_text())
    change(content)
    if seal:
        content["digest"] = digest(content)
    path.write_text(json.dumps(content))


def test_saved_plan_is_applied_without_the_configuration(world: World) -> None:
    """`apply FILE` does the plan even where the YAML has gone; the plan after it, with the YAML, is empty."""
    world.write(TAGS)
    path = save(world)
    files = (world.folder / "config/main.yaml").read_text()
    (world.folder / "config/main.yaml").unlink()
    assert apply(world, path).code == 0
    assert sorted(row["tag"] for row in world.rows("tags")) == ["A", "B", "C", "D"]
    world.write(files)
    assert world.plan().empty


def test_moved_objects_are_refused_and_the_rest_goes_on(world: World) -> None:
    """Of n updates, k objects changed since the plan: n - k - dependants are applied, k + dependants get no write."""
    world.write(
        """
        tags: {a: {name: A}, b: {name: B}, c: {name: C}, d: {name: D}}
        lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}
        """
    )
    world.apply()
    world.write(
        """
        tags: {a: {name: A1}, b: {name: B1}, c: {name: C1}, d: {name: D1}}
        lists: {news: {name: News 2, string_id: news, sender_url: https://a.example, sender_reminder: R}}
        fields: {f: {title: F, type: text, lists: [news]}}
        """
    )
    path = save(world)
    for name in ("A", "B"):
        row = world.rows("tags", tag=name)[0]
        world.account.rows.put("tags", row["id"], {**row, "description": "theirs"})
    news = world.rows("lists")[0]
    world.account.rows.put("lists", news["id"], {**news, "name": "Renamed by hand"})
    ran = apply(world, path)
    assert ran.code == 6, ran.text
    assert sorted(row["tag"] for row in world.rows("tags")) == ["A", "B", "C1", "D1"]
    assert not world.rows("fields"), "the field needs the list, which moved"
    assert len(world.writes()) == 2, world.writes()
    assert 'description: planned against null, found now "theirs"' in ran.out
    assert 'name: planned against "News", found now "Renamed by hand"' in ran.out
    assert "field.f: it waits for list.news, which is refused" in " ".join(ran.out.split())


def test_strict_refuses_everything(world: World) -> None:
    """With --strict one moved object stops the whole plan."""
    world.write(TAGS)
    world.apply()
    world.write(TAGS.replace("A", "A1").replace("B", "B1"))
    path = save(world)
    row = world.rows("tags", tag="A")[0]
    world.account.rows.put("tags", row["id"], {**row, "description": "theirs"})
    ran = apply(world, path, "--strict")
    assert ran.code == 6, ran.text
    assert not world.writes()
    assert "--strict" in ran.out


def test_parent_waits_for_a_refused_child(world: World) -> None:
    """A pipeline is not deleted when one of its stages, which goes first, is refused: its deals would go with it."""
    world.write("pipelines: {p: {title: P, currency: usd, stages: {one: {title: One}, two: {title: Two}}}}")
    world.apply()
    world.write("{}")
    path = save(world, "--allow", "empty_configuration")
    row = world.rows("dealStages", title="One")[0]
    world.account.rows.put("dealStages", row["id"], {**row, "width": "400"})
    ran = apply(world, path)
    assert ran.code == 6, ran.text
    assert world.rows("dealGroups")
    assert world.rows("dealStages", title="One")
    assert not world.rows("dealStages", title="Two"), ran.text


def flip(path: Path) -> None:
    """Change one byte inside a value."""
    path.write_bytes(path.read_bytes().replace(b'"A"', b'"Z"', 1))


def cut(path: Path) -> None:
    """Lose the end of the file."""
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (flip, "was altered"),
        (cut, "truncated"),
        (lambda path: path.write_text("[]"), "plan format none"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: edit(path, lambda c: c.update(environment="prod"), seal=True), "environment `prod`"),
        (lambda path: edit(path, lambda c: c.update(account="other.example"), seal=True), "account other.example"),
        (lambda path: edit(path, lambda c: c.update(format_version="2.0"), seal=True), "plan format 2.0"),
        (lambda path: edit(path, lambda c: c["state"].update(serial=7), seal=True), "state has changed"),
    ],
    ids=["flipped", "truncated", "other-json", "missing", "environment", "account", "major", "serial"],
)
def test_plans_that_are_not_ours_are_refused(world: World, spoil: Callable[[Path], None], says: str) -> None:
    """A damaged plan, or one for another place: exit code 6, no request is sent, the state is as it was."""
    world.write(TAGS)
    world.apply()
    world.write(TAGS.replace("A", "A1"))
    path = save(world)
    spoil(path)
    state = world.state()
    ran = apply(world, path)
    assert ran.code == 6, ran.text
    assert says in ran.err
    assert not world.requests()
    assert world.state() == state


def test_same_plan_twice_is_refused(world: World) -> None:
    """The second time, the state remembers the plan's digest."""
    world.write(TAGS)
    path = save(world)
    assert apply(world, path).code == 0
    ran = apply(world, path)
    assert (ran.code, world.requests()) == (6, [])
    assert "was applied already" in ran.err
    assert json.loads(path.read_text())["digest"] in world.state().applied_plans


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_killed_apply_of_a_plan_goes_on_with_the_same_plan(world: World) -> None:
    """A plan whose apply was killed can be applied again: what was done is not refused, nothing is done twice."""
    world.write(TAGS)
    path = save(world)
    world.kill(4, after=True)
    with pytest.raises(Killed):
        apply(world, path)
    world.revive()
    gc.collect()  # what the dead program left open
    ran = apply(world, path)
    assert ran.code == 0, ran.text
    assert sorted(row["tag"] for row in world.rows("tags")) == ["A", "B", "C", "D"]
    assert world.plan().empty


@pytest.mark.parametrize("nth", [2, 3])
@pytest.mark.parametrize("after", [False, True])
def test_a_plan_goes_on_after_changes_that_got_no_answer(world: World, nth: int, after: bool) -> None:
    """An update or a delete that was in flight is not refused for having been taken; a change by hand still is."""
    world.write("tags: {a: {name: A}, b: {name: B}}")
    world.apply()
    world.write("tags: {a: {name: A, description: x}}")
    path = save(world)
    world.kill(nth, after=after)
    with pytest.raises(Killed):
        apply(world, path)
    world.revive()
    gc.collect()
    if nth == 2 and not after:
        world.call("PUT", "/tags/1", {"tag": {"description": "by hand"}})
        assert "x tag.a: the object changed" in apply(world, path).out
        return
    ran = apply(world, path)
    assert ran.code == 0, ran.text
    assert [(row["tag"], row["description"]) for row in world.rows("tags")] == [("A", "x")]
    assert world.plan().empty
    assert world.plan(refresh_only=True).lines == []


def test_forecast_of_a_saved_plan_is_what_its_apply_sends(world: World) -> None:
    """Proof, writes and read-back of `apply FILE` cost what the plan said, to the request."""
    world.write(TAGS + "\npipelines: {p: {title: P, currency: usd, stages: {x: {}, y: {}}}}")
    path = save(world)
    cost = json.loads(path.read_text())["forecast"]
    ran = apply(world, path)
    promised = cost["check_requests"] + cost["apply_reads"] + cost["apply_writes"]
    assert len(world.requests()) == promised
    assert f"{promised} requests" in ran.out
    assert f"(forecast: {promised})" in ran.out


HOOK = """
webhooks:
  crm: {{name: CRM, url: "{url}", events: [deal_add], sources: [api]}}
"""


def test_sensitive_texts_are_in_no_plan_and_come_from_the_configuration(world: World) -> None:
    """A token in a URL is written nowhere; apply takes it from the YAML."""
    url = "https://hooks.example/t0ken-in-path?key=t0ken-in-query"
    world.write(HOOK.format(url=url))
    path = save(world)
    shown = world.cli("plan").out + world.cli("plan", "--format", "json").out + path.read_text()
    assert "t0ken" not in shown
    assert "https://hooks.example/(sensitive)" in shown
    assert apply(world, path).code == 0
    assert world.rows("webhooks")[0]["url"] == url
    assert world.plan().empty


def test_changed_sensitive_text_is_refused(world: World) -> None:
    """When the YAML says another token than the one that was planned, that object is refused."""
    world.write(HOOK.format(url="https://hooks.example/one") + TAGS)
    path = save(world)
    world.write(HOOK.format(url="https://hooks.example/two") + TAGS)
    ran = apply(world, path)
    assert ran.code == 6, ran.text
    assert "webhook.crm: `url` is sensitive" in " ".join(ran.out.split())
    assert not world.rows("webhooks")
    assert len(world.rows("tags")) == 4


def test_secrets_stay_names_and_are_resolved_at_apply(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`${secret.X}` stands in the plan as it was written, even in an attribute that is not marked as sensitive."""
    monkeypatch.setenv("KEY", "s3cr3t-one")
    world.write('tags: {a: {name: A, description: "key ${secret.KEY}"}}')
    path = save(world)
    assert "s3cr3t" not in path.read_text()
    assert "${secret.KEY}" in path.read_text()
    assert apply(world, path).code == 0
    assert world.rows("tags")[0]["description"] == "key s3cr3t-one"
    monkeypatch.setenv("KEY", "s3cr3t-two")
    ran = world.cli("plan", "--format", "json")
    assert "s3cr3t" not in ran.text
    assert "s3cr3t" not in world.cli("plan").text
    assert [change["action"] for change in json.loads(ran.out)["changes"]] == ["update"]


def test_older_plans_are_shown(world: World) -> None:
    """A plan of format 1.0, which lacks what 1.1 added, is rendered in every format; an unknown member is no error."""
    world.write(TAGS)
    path = save(world)

    def age(content: dict[str, Any]) -> None:
        content["format_version"] = "1.0"
        content["from_the_future"] = True
        del content["salt"]
        for change in content["changes"]:
            del change["found"], change["ignored"]

    edit(path, age, seal=True)
    for fmt in ("text", "json", "markdown", "html"):
        ran = world.cli("show", "--format", fmt, str(path))
        assert (ran.code, "tag.a" in ran.out) == (0, True), ran.text


def test_ignored_attributes_stay_ignored(world: World) -> None:
    """`ignore_changes` holds in a saved plan too: drift of such an attribute is not written over."""
    world.write("tags: {a: {name: A, description: ours, lifecycle: {ignore_changes: [description]}}}")
    world.apply()
    row = world.rows("tags")[0]
    world.account.rows.put("tags", row["id"], {**row, "description": "theirs"})
    world.write("tags: {a: {name: A1, description: ours, lifecycle: {ignore_changes: [description]}}}")
    assert apply(world, save(world)).code == 0
    assert world.rows("tags")[0] | {"tag": "A1", "description": "theirs"} == world.rows("tags")[0]
