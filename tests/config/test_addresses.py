"""Where an account is: what no URL is made of is refused, by whoever reads the environment."""

from __future__ import annotations

import pytest

from reconciler.model.http import is_address, is_api_address
from tests.world import World

GOOD = (
    "https://acme.api-us1.com", "https://acme.api-us1.com/api/3", "http://localhost:8080", "http://127.0.0.1:1/x",
    "https://[::1]:8443", "https://user:pass@proxy-1.example.", "https://a_b.example/~x?y=%20#z",
)  # fmt: skip
BAD = (
    'https://x"<b>', "https://x<b>.example", "https://x y.example", "https://x'y", "https://ä.example", "https://x\\y",
    "https://x.example/\x00", "https://x.example/a b", "https://x.example/{x}", "https://x|y", "https://x\n.example",
    "https://$(x)", "https://-x", "https://", "https://:80", "https://x:0", "https://x:port", "ftp://x", "x.example",
    "https://[::1", "https://x.example/`x`", "https://x^y", "https://x\u202e.example",
)  # fmt: skip
COMMANDS = (
    "validate", "plan", "apply --auto-approve", "destroy --auto-approve", "export", "drift", "doctor", "coverage",
    "rehearse", "probe --read-only", "probe --clean", "snapshot --out x.gz", "clone --from demo --to demo2 --dry-run",
    "state list", "compare demo demo2", "import tag.x 1", "explain --facts", "undo --auto-approve", "runs list",
    "lock list",
)  # fmt: skip
"""Commands that open an environment."""


def test_what_no_url_has() -> None:
    """Characters, hosts and ports."""
    assert [url for url in GOOD if not is_address(url)] == []
    assert [url for url in BAD if is_address(url)] == []
    assert [url for url in GOOD if not is_api_address(url)] == [GOOD[-1]]  # paths would go into its query


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_what_is_no_address(world: World, command: str) -> None:
    """With the place in the project file; nothing of it is printed that a page or a terminal would take for its own."""
    one = "{url: 'https://x\"<b>', token: '${env.KEY}'}"
    world.write(
        f"version: 1\nenvironments: {{demo: {one}, demo2: {one}}}\ndefault_environment: demo\n", "reconciler.yaml"
    )
    world.environ["KEY"] = "a-key-of-nobody"
    ran = world.cli(*command.split())
    assert (ran.code, "[bad-url]" in ran.err, "reconciler.yaml:2" in ran.err) == (3, True, True), ran.text
    assert "<b>" not in ran.out


def test_a_fleet_refuses_what_is_no_address(world: World) -> None:
    """Of an account in the file, and in a list beside it."""
    world.write("baselines: {base: {folder: .}}\ndefaults: {baseline: base, token: '${env.KEY}'}\n"
                "accounts: {one: {url: 'https://x\"<b>'}}\nsources: [{jsonl: more.jsonl}]\n", "fleet.yaml")  # fmt: skip
    world.write('{"name": "two", "url": "https://y<b>"}\n', "more.jsonl")
    ran = world.cli("fleet", "validate")
    assert (ran.code, "not the address of an API" in ran.err) == (3, True), ran.text


@pytest.mark.parametrize("where", [
    "url: 'https://x\"<b>'", "url: 'emulator:a.db'", "url: 'hub.example'",
    "url: 'https://hub.example', accounts: 'https://{name}.x<b>'",
    "url: 'https://hub.example', accounts: 'https://one.example'",
])  # fmt: skip
def test_a_list_of_partners_refuses_what_is_no_address(world: World, where: str) -> None:
    """The Partners API is asked with a key, and what it lists is an address for each: said before it is asked."""
    world.environ["KEY"] = "a-key-of-nobody"
    world.write("baselines: {base: {folder: .}}\ndefaults: {baseline: base, token: '${env.KEY}'}\n"
                f"sources: [{{partners: {{{where}, token: '${{env.KEY}}'}}}}]\n", "fleet.yaml")  # fmt: skip
    ran = world.cli("fleet", "validate")
    wanted = "an address of its own" if "one.example" in where else "it is not the"
    assert (ran.code, wanted in ran.err, "fleet.yaml:3" in ran.err) == (3, True, True), ran.text
