"""A relation that an account holds twice is one: what is exported, copied and compared says it once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

LIST = {"id": "1", "name": "News", "stringid": "news", "sender_url": "https://e.example", "sender_reminder": "R"}
TWICE: dict[str, dict[str, list[dict[str, Any]]]] = {
    "lists: [news]": {
        "lists": [LIST],
        "fields": [{"id": "9", "title": "Ca", "type": "text"}],
        "fieldRels": [{"field": "9", "relid": "1"}, {"field": "9", "relid": "1"}],
    },
    "user_groups: [{name: Admin}]": {
        "lists": [LIST],
        "listGroups": [{"listid": "1", "groupid": "3"}, {"listid": "1", "groupid": "3"}],
    },
    "task_types: [demo]": {
        "dealTasktypes": [{"id": "7", "title": "Demo", "status": "0"}],
        "taskOutcomes": [{"id": "8", "title": "Done", "sentiment": "Positive"}],
        "tasktypeOutcomeRels": [{"tasktype_id": "7", "outcome_id": "8"}, {"tasktype_id": "7", "outcome_id": "8"}],
    },
}


@pytest.mark.parametrize("said", TWICE)
def test_a_relation_that_is_there_twice_is_said_once(world: World, said: str) -> None:
    """Its declaration plans empty, and so does a second apply of the same to what has it once."""
    world.account.seed(TWICE[said])
    assert world.cli("export").code == 0
    files = "".join(path.read_text() for path in world.folder.glob("config/*.yaml"))
    assert said in files
    assert world.plan().empty
