"""What may be left of a plan that was carried out in parts: nothing that it does not say."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.fleet.rest import beyond
from reconciler.model.document import AttributeView, ChangeView, ImpactView


def change(action: Any, identity: str | None = None, *, risk: int = 0, **after: str) -> ChangeView:
    """Return a change of one tag."""
    return ChangeView(
        address="tag.vip",
        kind="tag",
        action=action,
        id=identity,
        attributes=[AttributeView(name=name, after=value) for name, value in after.items()],
        impacts=[ImpactView(count=risk, noun="contact")] if risk else [],
        desired=dict(after),
    )


CREATE = change("create", name="VIP", description="hi")
UPDATE = change("update", "7", name="VIP", description="hi")
REPLACE = change("replace", "7", name="VIP")
DELETE = change("delete", "7", risk=3)


@pytest.mark.parametrize(
    ("planned", "left", "covered"),
    [
        (CREATE, CREATE, True),
        (CREATE, change("update", "9", description="hi"), True),
        (CREATE, change("update", "9", description="bye"), False),
        (CREATE, change("update", "9", colour="red"), False),
        (CREATE, change("adopt", "9", name="VIP"), False),
        (CREATE, change("delete", "9"), False),
        (UPDATE, change("update", "7", description="hi"), True),
        (UPDATE, change("update", "8", description="hi"), False),
        (UPDATE, change("create", description="hi"), False),
        (REPLACE, change("create", name="VIP"), True),
        (REPLACE, change("update", "9", name="VIP"), True),
        (REPLACE, change("delete", "7"), False),
        (DELETE, DELETE, True),
        (DELETE, change("delete", "7"), True),
        (DELETE, change("delete", "7", risk=4), False),
        (DELETE, change("delete", "8", risk=3), False),
        (None, CREATE, False),
        (None, change("refresh", "7"), True),
        (UPDATE, change("none", "7"), True),
    ],
)
def test_what_is_left_is_what_was_planned(planned: ChangeView | None, left: ChangeView, covered: bool) -> None:
    """The same address, object, values and records; of a create, also what it has not written yet."""
    assert beyond([left], [planned] if planned else []) == ([] if covered else ["tag.vip"])
