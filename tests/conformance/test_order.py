"""Order is a promise: what is made together stands in the account as it stands in the files."""

from __future__ import annotations

import random
from typing import Any

import pytest

from reconciler.engine.queue import Queue
from reconciler.model.plan import Step
from reconciler.resources import load_kinds
from tests.world import World

KEYS = ("m", "c", "x", "a", "k", "b", "z", "d")
SAMPLES: dict[str, dict[str, Any]] = {
    "account_field": {"type": "text"},
    "address": {"company_name": "Acme", "address1": "{key}", "city": "Ulm", "zip": "1", "country": "DE"},
    "calendar": {"type": "Deals", "notification": True},
    "connection": {
        "service": "acme", "external_id": "{key}", "logo_url": "https://acme.example/l.png",
        "link_url": "https://acme.example",
    },
    "deal_field": {"type": "text"},
    "deal_role": {},
    "field": {"type": "text"},
    "field_group": {"object": "contact"},
    "list": {"sender_url": "https://acme.example", "sender_reminder": "r"},
    "personalization": {
        "tag": "T_{key}", "name": "The {key}", "format": "text", "content": "x", "lists": [],
    },
    "pipeline": {"currency": "eur", "stages": {}},
    "saved_response": {"subject": "s", "body": "b"},
    "tag": {},
    "task_outcome": {"sentiment": "Positive"},
    "task_type": {},
    "user_group": {},
    "webhook": {"url": "https://acme.example/{key}", "events": ["subscribe"], "sources": ["public"]},
}  # fmt: skip
"""What the kinds need beside a name. Left out: what has an order or a key of its own."""


def declared(seed: int) -> dict[str, Any]:
    """Return objects of every kind, in an order that chance made."""
    dice, kinds, found = random.Random(seed), load_kinds(), {}
    for name, sample in SAMPLES.items():
        keys = dice.sample(KEYS, len(KEYS))
        found[kinds[name].section] = {
            key: {kinds[name].identity.name_attribute: f"The {key}"}
            | {one: value.format(key=key) if isinstance(value, str) else value for one, value in sample.items()}
            for key in keys
        }
    return found


@pytest.mark.parametrize("seed", range(3))
def test_what_is_made_together_stands_in_the_order_of_the_files(world: World, seed: int) -> None:
    """Whichever of several creates is answered first: ids of every kind rise as its keys stand in the file."""
    content = declared(seed)
    world.write(content)
    dice = random.Random(seed)
    world.held.delay = lambda: dice.random() * 5
    world.apply(incomplete=True)
    ids = {address: int(binding.id) for address, binding in world.state().resources.items() if binding.id.isdigit()}
    for name in SAMPLES:
        keys = list(content[load_kinds()[name].section])
        found = [ids[f"{name}.{key}"] for key in keys if f"{name}.{key}" in ids]
        assert len(found) == len(keys), name
        assert found == sorted(found), name
    orders = {row["title"]: int(row["ordernum"]) for row in world.rows("fields")}
    assert sorted(orders, key=orders.__getitem__) == [f"The {key}" for key in content["fields"]]


@pytest.mark.parametrize("section", ["fields", "deal_fields", "account_fields"])
def test_members_and_options_stand_in_the_order_of_the_files(world: World, section: str) -> None:
    """Fields that are put into a group together stand in it as in the file; so do the options of each."""
    dice = random.Random(section)
    keys, options = dice.sample(KEYS, len(KEYS)), dice.sample(KEYS, len(KEYS))
    kind = section[:-1]
    label = load_kinds()[kind].identity.name_attribute
    field = {"type": "dropdown", "options": options, "group": "shop"}
    owner = {"fields": "contact", "deal_fields": "deal", "account_fields": "account"}[section]
    group = {"shop": {"label": "Shop", "object": owner}}
    world.write({"field_groups": group, section: {key: {label: f"The {key}", **field} for key in keys}})
    world.held.delay = lambda: dice.random() * 5
    world.apply()
    ids = {one.id: address for address, one in world.state().resources.items() if address.startswith(f"{kind}.")}
    members = sorted(world.rows("groupMembers"), key=lambda row: int(row["ordernum"]))
    assert [ids[str(row["rel_id"])].rpartition(".")[2] for row in members if str(row["rel_id"]) in ids] == keys
    orders = [int(row["ordernum"]) for row in members]
    assert len(set(orders)) == len(orders)
    if section != "fields":
        return
    for identity in ids:
        rows = sorted(world.rows("fieldOptions", field=identity), key=lambda row: (int(row["orderid"]), int(row["id"])))
        assert [row["value"] for row in rows] == options


@pytest.mark.parametrize("seed", range(20))
def test_no_step_is_ready_before_those_that_it_waits_for(seed: int) -> None:
    """However steps wait for each other and end, each becomes ready once, when all that it waits for are over; those
    that wait for nothing stand in the order of the plan.
    """
    chance, steps, before = random.Random(seed), list[Step](), dict[int, int]()
    for number in range(60):
        earlier = [chance.randrange(number) for _ in range(chance.randrange(4))] if number else []
        steps.append(Step(number, f"tag.{number}", "create", tuple(earlier[:2]), tuple(earlier[2:])))
        if number and chance.random() < 0.3:
            before[number] = chance.randrange(number)
    queue, running, over = Queue(steps, before), list[Step](), list[int]()
    free = [step.number for step in steps if not step.waits and not step.after and step.number not in before]
    assert [step.number for step in queue.ready] == free
    while queue.ready or running:
        while queue.ready:
            running.append(queue.ready.popleft())
        step = running.pop(chance.randrange(len(running)))
        assert {*step.waits, *step.after} <= set(over)
        assert before.get(step.number, step.number) in {*over, step.number}
        over.append(step.number)
        queue.over(step)
    assert sorted(over) == list(range(60))
