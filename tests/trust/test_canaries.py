"""Whatever a person or a machine gets to see holds no secret, no token and no address of a customer."""

from __future__ import annotations

import pytest

from reconciler.workflow.undoing import inverse_of
from tests.world import World

SECRETS = ("canary-hook", "canary-token", "canary-path", "canary-customer")

WITH_SECRETS = """
tags:
  vip: {name: VIP}
lists:
  news: {name: News, string_id: news, sender_url: "https://acme.example", sender_reminder: You subscribed.}
webhooks:
  crm:
    name: CRM
    url: "https://hooks.example/ac?key=${secret.HOOK}"
    events: [subscribe]
    sources: [public]
  chat:
    name: Chat
    url: https://chat.example/canary-path/1
    events: [unsubscribe]
    sources: [public]
connections:
  shop: {service: shop, external_id: s1, name: Shop, logo_url: "https://shop.example/logo.png?sig=canary-token",
         link_url: "https://shop.example/manage"}
"""


@pytest.fixture
def full(world: World) -> World:
    """An account with customers, a webhook with a token in its URL, and a configuration with a secret."""
    world.begin_with(_full)
    return world


def _full(world: World) -> None:
    world.environ["HOOK"] = "canary-hook"
    world.write(WITH_SECRETS)
    world.apply()
    customers = [{"id": str(number), "email": f"canary-customer{number}@people.example"} for number in range(3, 6)]
    tag, news = world.rows("tags")[0]["id"], world.rows("lists")[0]["id"]
    world.account.seed(
        {
            "contacts": customers,
            "contactTags": [{"contact": one["id"], "tag": tag} for one in customers],
            "contactLists": [{"contact": one["id"], "list": news, "status": "1"} for one in customers],
        }
    )
    hook = world.rows("webhooks", name="CRM")[0]["id"]
    world.call(
        "PUT", f"/webhooks/{hook}", {"webhook": {"url": "https://elsewhere.example/canary-token?x=canary-token"}}
    )
    world.write("tags: {}\n")


@pytest.mark.parametrize("fmt", ["text", "json", "markdown", "html"])
@pytest.mark.parametrize("changed", [False, True], ids=["deleted", "changed"])
def test_no_view_of_a_plan_shows_a_secret_or_a_customer(full: World, fmt: str, changed: bool) -> None:
    """Deletes that cost customers, a webhook whose URL was changed by hand: nothing of it is readable anywhere."""
    if changed:
        full.write(WITH_SECRETS.replace("name: VIP", "name: VIPs").replace("canary-path/1", "canary-path/2"))
    ran = full.cli("plan", "--out", "plan.json", "--format", fmt)
    assert "webhook.crm" in ran.out, ran.text
    again = full.cli("show", "plan.json", "--format", fmt)
    assert "webhook.crm" in again.out, again.text
    assert not [secret for secret in SECRETS if secret in ran.text + again.text]


@pytest.mark.parametrize(
    "command",
    [
        "drift",
        "plan --refresh-only",
        "explain webhook.crm",
        "explain webhook.chat",
        "explain connection.shop",
        "state list",
    ],
)
@pytest.mark.parametrize("fmt", ["text", "json"])
def test_no_other_view_shows_a_secret_or_a_customer(full: World, command: str, fmt: str) -> None:
    """Drift, one object's story and the listing of the state do not tell either."""
    full.write(WITH_SECRETS)
    ran = full.cli(*command.split(), "--format", fmt)
    assert "webhook.c" in ran.out or "connection.shop" in ran.out, ran.text
    assert not [secret for secret in SECRETS if secret in ran.text]


def test_a_url_of_a_connection_is_shown_and_kept_unless_it_carries_more_than_a_path(world: World) -> None:
    """What has a query may hold a token: it is masked, and an undo does not bring it back. Other URLs are plain."""
    shop = "connections: {shop: {service: shop, external_id: s1, name: Shop, logo_url: '%s', link_url: '%s'}}"
    world.write(shop % ("https://a.example/l.png?sig=canary-token", "https://a.example/s"))
    assert not [secret for secret in SECRETS if secret in world.cli("apply", "--auto-approve").text]
    world.write(shop % ("https://a.example/l.png", "https://a.example/t"))
    planned = world.cli("plan")
    assert 'link_url = "https://a.example/s" -> "https://a.example/t"' in planned.out, planned.text
    assert "https://a.example/(sensitive)" in planned.out
    world.apply()
    undo = inverse_of(world.session(), None)
    assert undo.desired.resources["connection.shop"].attrs["link_url"] == "https://a.example/s"
    assert undo.lost == ("connection.shop: the value that `logo_url` had is not kept, because it is sensitive",)
    world.write("{}")
    world.apply(yes=True)
    world.apply(yes=True, inverse=inverse_of(world.session(), None))
    world.write(shop % ("https://a.example/l.png", "https://a.example/t"))
    assert world.plan().empty
