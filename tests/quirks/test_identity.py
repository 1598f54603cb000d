"""Which object is meant, where several come close."""

from __future__ import annotations

import pytest

from reconciler.planning.identity import same_birth
from tests.planning.world import account, desired, planned, resource


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2020-05-24T10:15:40+00:00", "2020-05-24T05:15:40-05:00", True),
        ("2020-05-24T10:15:40+00:00", "2020-05-24T10:15:41+00:00", False),
        ("2024-01-30T14:56:02.952123456Z", "2024-01-30T14:56:02.952123456Z", True),
        ("2020-05-24 10:15:40", "2020-05-24 10:15:40", True),
        ("2018-10-22 19:57:37", "2018-10-22T19:57:37+00:00", None),
        ("0000-00-00 00:00:00", "0000-00-00 00:00:00", None),
        ("", "2018-10-22 19:57:37", None),
    ],
)
def test_a_birth_is_compared_where_it_can_be(one: str, other: str, same: bool | None) -> None:
    """Stamps come with and without a zone, and as zeros (section 1.4): what proves nothing is no proof of another
    object.
    """
    assert same_birth(one, other) is same


def test_an_exact_name_goes_before_a_loose_one() -> None:
    """`VIP` and `vip` are two tags: whoever is spelled exactly like the live one takes it."""
    seen = account(tags=[{"id": "5", "tag": "vip", "tagType": "contact"}])
    wanted = desired(
        resource("tag.a_loose", name="VIP", type="contact"), resource("tag.z_exact", name="vip", type="contact")
    )
    changes = {change.address: change for change in planned(wanted, seen).changes}
    assert changes["tag.a_loose"].action == "create"
    assert changes["tag.z_exact"].adopts
