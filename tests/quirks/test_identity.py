"""Which object is meant, where several come close."""

from __future__ import annotations

from tests.planning.world import account, desired, planned, resource


def test_an_exact_name_goes_before_a_loose_one() -> None:
    """`VIP` and `vip` are two tags: whoever is spelled exactly like the live one takes it."""
    seen = account(tags=[{"id": "5", "tag": "vip", "tagType": "contact"}])
    wanted = desired(
        resource("tag.a_loose", name="VIP", type="contact"), resource("tag.z_exact", name="vip", type="contact")
    )
    changes = {change.address: change for change in planned(wanted, seen).changes}
    assert changes["tag.a_loose"].action == "create"
    assert changes["tag.z_exact"].adopts
