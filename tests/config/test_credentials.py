"""No credential of the process gets into a resource, whatever way it takes."""

from __future__ import annotations

import pytest

from tests.world import World

KEY = "canary-key-1"
PROJECT = """version: 1
environments:
  test:
    url: "emulator:account.db"
    token: "${env.AC_TOKEN}"
    {more}
  prod: {url: "https://acme.api-us1.com", token: "${env.AC_PROD_TOKEN}"}
default_environment: test
"""
ROUTES = {
    "environment variable": ("", {"config/a.yaml": "tags: {a: {name: '${env.AC_TOKEN}'}}"}),
    "part of a text": ("", {"config/a.yaml": "tags: {a: {name: 'x ${env.AC_TOKEN} y'}}"}),
    "key of another environment": ("", {"config/a.yaml": "tags: {a: {name: '${env.AC_PROD_TOKEN}'}}"}),
    "under another name": ("", {"config/a.yaml": "tags: {a: {name: '${env.HARMLESS}'}}"}),
    "of the cloud": ("", {"config/a.yaml": "tags: {a: {name: '${env.AWS_SECRET_ACCESS_KEY}'}}"}),
    "of a database": ("", {"config/a.yaml": "tags: {a: {name: '${env.DB}'}}"}),
    "that is a secret elsewhere": (
        "",
        {"config/a.yaml": "tags: {a: {name: '${env.HOOK}', description: '${secret.HOOK}'}}"},
    ),
    "named like one": ("", {"config/a.yaml": "tags: {a: {name: '${env.SHOP_API_KEY}'}}"}),
    "default of a variable": (
        "",
        {"config/a.yaml": "variables: {x: {default: '${env.AC_TOKEN}'}}\ntags: {a: {name: '${var.x}'}}"},
    ),
    "variable of an environment": (
        "variables: {x: '${env.AC_TOKEN}'}",
        {"config/a.yaml": "variables: {x: {}}\ntags: {a: {name: '${var.x}'}}"},
    ),
    "variable of an environment, written out": (
        f"variables: {{x: {KEY}}}",
        {"config/a.yaml": "variables: {x: {}}\ntags: {a: {name: '${var.x}'}}"},
    ),
    "include": (
        "",
        {
            "config/a.yaml": "include: [{source: ../shared, variables: {x: '${env.AC_TOKEN}'}}]",
            "shared/a.yaml": "variables: {x: {}}\ntags: {a: {name: '${var.x}'}}",
        },
    ),
    "overlay": (
        "overlays: [over.yaml]",
        {"config/a.yaml": "tags: {a: {name: A}}", "over.yaml": "tags: {a: {name: '${env.AC_TOKEN}'}}"},
    ),
    "for_each": (
        "",
        {"config/a.yaml": "tags: {'t-${each.key}': {for_each: {x: '${env.AC_TOKEN}'}, name: '${each.value}'}}"},
    ),
    "written out": ("", {"config/a.yaml": f"tags: {{a: {{name: 'x {KEY}'}}}}"}),
    "written out, escaped": ("", {"config/a.yaml": 'tags: {a: {name: "https://x/?k=canary%2Dkey%2D1"}}'}),
}
ENVIRON = {
    "AC_TOKEN": KEY,
    "AC_PROD_TOKEN": "canary-key-2",
    "HARMLESS": KEY,
    "AWS_SECRET_ACCESS_KEY": "canary-key-3",
    "DB": "postgres://joe:canary-key-4@db.example/x",
    "HOOK": "canary-key-5",
    "SHOP_API_KEY": "canary-key-6",
}


def _project(world: World, more: str, files: dict[str, str]) -> None:
    world.environ.update(ENVIRON)
    world.write(PROJECT.replace("{more}", more), "reconciler.yaml")
    for name, text in files.items():
        world.write(text, name)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_a_credential_of_the_process_is_refused_by_whatever_way_it_comes(world: World, route: str) -> None:
    """With the place and with what to write instead; it is shown in no format, and nothing is planned."""
    _project(world, *ROUTES[route])
    for command in (["validate"], ["validate", "--format", "json"], ["validate", "--format", "sarif"], ["plan"]):
        ran = world.cli(*command)
        assert ran.code == 3, ran.text
        assert "[credential]" in ran.text or '"credential"' in ran.text
        assert "${secret." in ran.text
        assert "canary" not in ran.text, ran.text


@pytest.mark.parametrize("route", ["environment variable", "key of another environment", "for_each", "named like one"])
def test_a_credential_is_refused_by_name_where_no_credentials_are(world: World, route: str) -> None:
    """A check of a pull request has none, and has to tell it all the same."""
    _project(world, *ROUTES[route])
    for name in ENVIRON:
        del world.environ[name]
    ran = world.cli("validate")
    assert ran.code == 3, ran.text
    assert "[credential]" in ran.text


def test_other_variables_are_to_be_listed(world: World) -> None:
    """A warning has the line to paste, with what is listed already; with that line it is gone."""
    files = {"config/a.yaml": "tags: {a: {name: '${env.AC_REGION}'}, b: {name: '${env.AC_SHOP}'}}"}
    _project(world, "", files)
    world.environ |= {"AC_REGION": "eu", "AC_SHOP": "north"}
    ran = world.cli("validate")
    assert ran.code == 0
    assert "the next release refuses it" in " ".join(ran.text.split())
    assert "add the line `env: [AC_REGION, AC_SHOP]`" in ran.text
    world.write(PROJECT.replace("{more}", "") + "env: [AC_REGION, AC_SHOP]\n", "reconciler.yaml")
    ran = world.cli("validate")
    assert (ran.code, "unlisted" in ran.text) == (0, False)


def test_what_is_named_like_a_credential_can_be_listed_and_what_is_one_cannot(world: World) -> None:
    """Whoever lists a public key says that it is none; the key of the account stays one."""
    _project(world, "", {"config/a.yaml": "tags: {a: {name: '${env.SHOP_API_KEY}'}}"})
    world.write(PROJECT.replace("{more}", "") + "env: [SHOP_API_KEY, AC_TOKEN]\n", "reconciler.yaml")
    assert world.cli("validate").code == 0
    world.write("tags: {a: {name: '${env.AC_TOKEN}'}}")
    assert world.cli("validate").code == 3


def test_a_secret_is_what_a_credential_may_be(world: World) -> None:
    """What the hint says works."""
    _project(world, "", {"config/a.yaml": "tags: {a: {name: A, description: '${secret.AC_TOKEN}'}}"})
    assert world.cli("validate").code == 0


def test_a_key_in_the_project_file_is_warned_of(world: World) -> None:
    """It is named, and not shown."""
    world.write(PROJECT.replace("{more}", "").replace("${env.AC_PROD_TOKEN}", "canary-key-9"), "reconciler.yaml")
    world.environ["AC_TOKEN"] = KEY
    world.write("tags: {}")
    ran = world.cli("validate")
    assert ran.code == 0
    assert "[literal-token]" in ran.text
    assert "canary" not in ran.text


TOKENS = (
    'token: ["canary-key"]', "token: {key: canary-key}", "token:\n      - canary-key", "token:\n    - canary-key",
    "token:\n      key: canary-key", 'token: ["a",\n      "canary-key"]', "token: [[canary-key]]",
    "token: [canary-key", 'token: "canary-key', "token: |\n      canary-key\n    bad", "token: !!int canary-key",
    "token: &a canary-key\n    account: *b", "token: canary-key: x", "Token: canary-key", "token: 'a: canary-key\n",
    "{token: canary-key, tokn: x}", "token: a, canary-key\n    tokn: x",
)  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_of_any_form_is_in_no_excerpt(world: World, token: str) -> None:
    """Of the wrong type, over several lines, or in a file that cannot be read at all."""
    body = f"    url: https://acme.api-us1.com\n    {token}\n" if token[0] != "{" else ""
    head = "  demo:\n" if body else f"  demo: {token}\n"
    world.write(f"version: 1\nenvironments:\n{head}{body}default_environment: demo\n", "reconciler.yaml")
    for fmt in ("text", "json", "sarif", "github", "gitlab"):
        ran = world.cli("validate", "--format", fmt)
        assert ran.code == 3, ran.text
        assert "canary" not in ran.text, ran.text
