"""Users and user groups: declared ones are managed, all others are looked up."""

from __future__ import annotations

import json

import pytest

from tests.world import World

JANE = """
    user_groups: {agents: {name: Agents, flags: {pgDeal: true}}, admins: {name: Other}}
    users:
      jane: {email: jane@acme.example, username: jane, first_name: Jane, group: agents, password: "${secret.PW}"}
"""


def test_a_password_is_sent_once_and_kept_nowhere(world: World) -> None:
    """The create carries it; no later plan compares it, and neither state, plan nor journal holds it or a hash."""
    world.environ["PW"] = "correct horse"
    world.write(JANE)
    applied = world.apply()
    bodies = [json.dumps(one["body"]) for one in world.account.log if one["method"] in ("POST", "PUT")]
    assert sum("correct horse" in body for body in bodies) == 1
    assert "correct horse" not in applied.planned.document.model_dump_json()
    binding = world.state().resources["user.jane"]
    assert "password" not in binding.applied
    assert "password" not in binding.digests
    world.environ["PW"] = "battery staple"
    assert world.plan().empty
    world.write(JANE.replace("first_name: Jane", "first_name: Janet"))
    world.forget()
    world.apply()
    assert not any("battery" in json.dumps(one["body"]) for one in world.account.log)
    assert world.plan().empty


def test_a_sign_in_name_is_changed_by_hand_and_nothing_else_waits_for_it(world: World) -> None:
    """The documented API cannot rename a user (row 27): a manual step, beside what can be done."""
    world.environ["PW"] = "x"
    world.write(JANE)
    world.apply()
    world.write(JANE.replace("username: jane,", "username: janet,").replace("first_name: Jane,", "first_name: J,"))
    planned = world.plan()
    assert planned.lines == ["update user.jane (first_name)"]
    assert "make another user" in planned.change("user.jane").manual["username"]
    world.apply()
    assert world.plan().lines == ["manual user.jane (username)"]
    assert not world.plan().document.steps


@pytest.mark.parametrize(
    ("flag", "code", "said"),
    [
        ("pgListAdd: true", 0, []),
        ("reqApprovalNotify: boss@acme.example", 0, []),
        ("pgBrandNew: true", 0, ["`pgBrandNew` is not a permission that this version knows"]),
        ("pgListAd: true", 0, ["this version knows", "did you mean `pgListAdd`?"]),
        ("listAdd: true", 7, ["`listAdd` is not a permission of user groups", "did you mean `pgListAdd`?"]),
        ("may delete everything: true", 7, ["is not a permission of user groups", "as the API calls them"]),
        ("pgListAdd: sometimes", 0, ["`pgListAdd` is on or off", "write true or false"]),
    ],
)
def test_what_is_no_flag_is_told(world: World, flag: str, code: int, said: list[str]) -> None:
    """With its place by `validate`; the plan refuses what cannot be one, and warns of what may be new."""
    world.write(f"user_groups: {{agents: {{name: Agents, flags: {{{flag}}}}}}}")
    ran = world.cli("validate")
    text = " ".join(ran.text.split())
    assert (ran.code, [one for one in said if one not in text], "config/" in ran.err) == (0, [], bool(said)), ran.text
    planned = world.cli("plan")
    assert (planned.code, not said or said[0] in " ".join(planned.text.split())) == (code, True), planned.text


def test_only_declared_flags_of_a_group_are_managed(world: World) -> None:
    """A flag that nobody declares may change in the account; a declared one is set back, and sent alone."""
    world.write("user_groups: {agents: {flags: {pgDeal: true, pgListDelete: false}}}")
    world.apply()
    [row] = world.rows("groups", title="agents")
    world.account.rows.put("groups", row["id"], {**row, "pgTagManage": "1", "pgDeal": "0"})
    planned = world.plan()
    assert planned.lines == ["update user_group.agents (flags)"]
    assert planned.origins("user_group.agents") == {"flags": "drift"}
    world.forget()
    world.apply()
    [put] = [one["body"]["group"] for one in world.account.log if one["method"] == "PUT"]
    assert set(put) == {"pgDeal"}
    assert world.plan().empty
    assert world.rows("groups", title="agents")[0]["pgTagManage"] == "1"


def test_reserved_groups_and_the_owner_are_never_claimed(world: World) -> None:
    """Admin can be looked up; declaring its name makes another group, for the account's own are out of reach."""
    world.write("user_groups: {admin: {name: Admin}}")
    assert world.plan().lines == ["create user_group.admin"]


def test_an_export_leaves_people_out(world: World) -> None:
    """Users are not configuration unless somebody declares one; groups are, with every flag."""
    world.environ["PW"] = "x"
    world.write(JANE)
    world.apply()
    out = world.folder / "copy"
    world.export(out)
    assert not (out / "config/users.yaml").exists()
    assert "pgDeal" in (out / "config/user_groups.yaml").read_text("utf-8")
    assert world.plan(out).empty
