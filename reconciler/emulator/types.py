"""What the tables of classic endpoints share: forms and columns of dates, and what endpoints do."""

from __future__ import annotations

from reconciler.emulator.rows import Row

ISO, PLAIN, OFFSET = "%Y-%m-%dT%H:%M:%S-05:00", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S+00:00"
"""Forms of dates: account zone with offset, without, and of deal fields (section 1.4)."""

CDATE = {"cdate": ISO}
DATED = {"cdate": ISO, "udate": ISO}
STAMPED = {"created_timestamp": PLAIN, "updated_timestamp": PLAIN}
UTC_STAMPED = {"created_utc_timestamp": ISO, "updated_utc_timestamp": ISO}
AUTHORS: Row = {"created_by": None, "updated_by": None}
TOUCHED = ("udate", "mdate", "updated_timestamp", "updated_utc_timestamp", "updatedTimestamp")
"""Dates that an update renews."""

ALL = frozenset({"list", "create", "get", "update", "delete"})
READ = frozenset({"list", "get"})
