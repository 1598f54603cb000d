"""Members of field groups that move, leave and go between two accounts, in each form that files have for them: what
differs after a promotion and an apply was announced, and what was announced is so. By rows alone.
"""

from __future__ import annotations

FEW, MANY = 6, 400
FIELDS = ("fa", "fb", "fc")
DEALS = ("da", "db")
GROUPS = {"c": FIELDS, "d": FIELDS, "m": DEALS, "w": DEALS}
KINDS = {"fa": "field", "fb": "field", "fc": "field", "da": "deal_field", "db": "deal_field"}
