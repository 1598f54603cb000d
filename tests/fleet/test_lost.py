"""A database that does not take the end of jobs: nobody waits for them without end."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from reconciler.fleet import lost
from tests.fleet.conftest import Fleet, file_of

FULL = """
CREATE TRIGGER full BEFORE UPDATE ON workflow_status
WHEN NEW.status IN ('SUCCESS', 'ERROR') AND NEW.workflow_uuid LIKE '{ids}'
BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END
"""


@pytest.mark.parametrize("ids", ["%/apply/b", "%-apply-____"], ids=["account", "rollout"])
def test_a_lost_end_is_told_and_resumed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, ids: str) -> None:
    """The command ends, says what was not taken, and a resume brings every account to what is declared, once."""
    monkeypatch.setattr(lost, "APART", 0.1)
    monkeypatch.setattr(lost, "LOOKS", 3)
    fleet.write(file_of({"a": "", "b": ""}))
    assert fleet.run("plan").code == 0
    with closing(sqlite3.connect(fleet.folder / ".reconciler" / "fleet.db", isolation_level=None)) as database:
        database.execute(FULL.format(ids=ids))
        ran = fleet.run("apply")
        assert ran.code == 1, ran.err
        assert "did not take the end of a job of this process" in ran.err
        assert "disk" in ran.err
        database.execute("DROP TRIGGER full")
    resumed = fleet.run("resume")
    assert resumed.code == 0, resumed.err
    assert [fleet.tags(name) for name in ("a", "b")] == [["Gold", "VIP"]] * 2
