"""Commands that must not write do not: they run against an account that fails the test at the first write."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from reconciler.model.http import Request, Response
from reconciler.remote import client
from reconciler.remote.guard import Mode
from tests.world import World

CONFIG = """
tags:
  vip: {description: Best}
  old: {}
lists:
  news: {name: News, sender_url: https://acme.example, sender_reminder: You signed up.}
fields:
  tier: {title: Tier, type: dropdown, options: [Free, Pro], lists: [news]}
deal_fields:
  value: {label: Value, type: text}
pipelines:
  sales: {title: Sales, currency: usd, stages: {lead: {}, won: {}}}
webhooks:
  sync: {name: Sync, url: https://hooks.example/ac, events: [deal_add], sources: [admin]}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: Ticket, plural: Tickets}
    fields:
      seat: {type: text, labels: {singular: Seat, plural: Seats}}
"""
CHANGED = CONFIG.replace("Best", "Better").replace("[Free, Pro]", "[Free, Pro, Max]").replace("old: {}", "new: {}")
CHANGED = CHANGED.replace("won: {}", "lost: {}").replace("plural: Seats", "plural: Places")

READING = [
    "validate",
    "validate --format json",
    "validate --format sarif",
    "plan",
    "plan --out saved.json",
    "plan --format json",
    "plan --format markdown",
    "plan --format html",
    "plan --detailed-exitcode",
    "plan --destroy",
    "plan --target tag.vip",
    "plan --exclude tag.vip",
    "plan --no-impact",
    "plan --format markdown=plan.md --format sarif=plan.sarif --format json",
    "plan --guards-from file:reconciler.yaml",
    "show saved.json",
    "drift",
    "drift --format junit",
    "ci body saved.json",
    "ci guard saved.json --guards-from file:reconciler.yaml",
    "export --out copy",
    "import tag.vip 1",
    "state list",
    "state show tag.vip",
    "state mv tag.vip tag.best",
    "state rm tag.best",
    "lock list",
    "kinds",
    "kinds field",
    "schema",
    "version",
    "completion bash",
]


@dataclass
class Trap:
    """Lets nothing but reads and the vendor's dry run through once it is `set`, and lists what tried."""

    set: bool = False
    tried: list[str] = field(default_factory=list)


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Trap:
    """A trap in the client, where every request passes."""
    made = Trap()
    once = client.Client._once

    async def reads(sender: client.Client, request: Request) -> Response:
        if made.set and request.method != "GET" and not request.dry_run:
            made.tried.append(str(request))
            raise AssertionError(f"{request} would write")
        return await once(sender, request)

    monkeypatch.setattr(client.Client, "_once", reads)
    # The client's own guard is out of the way: what counts is that nobody even tries.
    monkeypatch.setattr(client, "check", lambda request, mode, writable: None)
    return made


@pytest.mark.parametrize("applied", [False, True], ids=["fresh account", "applied and changed"])
def test_commands_that_must_not_write_do_not(
    world: World, trap: Trap, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    """Every command but apply, destroy and the emulator's own, in all its modes, on a fresh account and on one with
    every kind of change to plan.
    """
    monkeypatch.chdir(world.folder)
    world.write(CONFIG)
    if applied:
        assert world.apply().summary.complete
        world.write(CHANGED)
    trap.set = True
    before = world.dump()
    for line in READING:
        ran = world.cli(*line.split())
        assert "unexpected" not in ran.err, f"{line}: {ran.text}"
    assert trap.tried == []
    assert world.dump() == before
    assert world.cli("apply", "--auto-approve").code == 1, "the trap does not work"
    assert trap.tried != []


@pytest.mark.parametrize("command", ["plan", "export", "import"])
def test_commands_that_read_open_a_client_that_cannot_write(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The guard in the HTTP layer stands behind it: the client of these commands is made for reading."""
    modes: list[Mode] = []
    made = client.Client.__init__

    def watch(self: client.Client, *args: object, **options: object) -> None:
        modes.append(options["mode"])  # type: ignore[arg-type]
        made(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(client.Client, "__init__", watch)
    world.write("tags: {vip: {}}")
    world.cli(
        *{"import": ["import", "tag.vip", "1"], "export": ["export", "--out", str(world.folder / "copy")]}.get(
            command, [command]
        )
    )
    assert modes == [Mode.READ]
