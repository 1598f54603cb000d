"""What an account remembers: in its file, beside other processes, quickly."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.emulator import AccountSettings, open_account
from reconciler.emulator.rows import Rows
from tests.emulator.calling import Api


def test_an_account_is_kept_in_its_file(tmp_path: Path) -> None:
    """Rows, ids and settings are there after opening the file again; ids of deleted rows stay taken."""
    first = Api(open_account(tmp_path / "a.db", settings=AccountSettings(orphan_stages=True)))
    for name in ("a", "b"):
        first.make("/tags", "tag", tag=name)
    first("DELETE", "/tags/2")
    first.account.close()
    again = Api(open_account(tmp_path / "a.db"))
    assert again.account.settings.orphan_stages
    assert [row["tag"] for row in again.get("/tags")["tags"]] == ["a"]
    assert again.make("/tags", "tag", tag="c")["id"] == "3"
    again.account.close()


def test_two_processes_share_an_account(tmp_path: Path) -> None:
    """What one writes the other reads; ids are given once; settings and resets arrive too."""
    one, other = (Api(open_account(tmp_path / "a.db")) for _ in range(2))
    ids = [api.make("/tags", "tag", tag=f"{n}")["id"] for n in range(5) for api in (one, other)]
    assert ids == [str(n) for n in range(1, 11)]
    one("DELETE", "/tags/10")
    other("PUT", "/tags/1", {"tag": {"tag": "new"}})
    assert [row["tag"] for row in one.get("/tags")["tags"]] == [row["tag"] for row in other.get("/tags")["tags"]]
    assert one.get("/tags/1")["tag"]["tag"] == "new"
    one.account.keep(AccountSettings(list_put="list"))
    assert other.get("/tags")["meta"]["total"] == "9"
    assert other.account.settings.list_put == "list"
    one.account.reset()
    assert other.get("/tags")["meta"]["total"] == "0"
    assert other.get("/groups")["meta"]["total"] == "3"
    for api in (one, other):
        api.account.close()


WRITER = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from reconciler.emulator import open_account
from tests.emulator.calling import Api
api = Api(open_account(sys.argv[1]))
for number in range(40):
    api.make("/tags", "tag", tag=f"{sys.argv[3]}-{number}")
    api("PUT", "/lists/1", {"list": {"name": f"{sys.argv[3]}-{number}"}})
api.account.close()
"""


def test_processes_that_write_at_once(tmp_path: Path, project_root: Path) -> None:
    """Three real processes create at the same time: no write is lost, no id is given twice, the file stays whole."""
    path = tmp_path / "a.db"
    api = Api(open_account(path))
    api.account.seed({"lists": [{"id": "1", "name": "L"}]})
    command = [sys.executable, "-c", WRITER, str(path), str(project_root)]
    running = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    rows = [row for offset in (0, 100) for row in api.get("/tags", limit=100, offset=offset)["tags"]]
    assert {row["tag"] for row in rows} == {f"{name}-{number}" for name in "abc" for number in range(40)}
    assert sorted(int(row["id"]) for row in rows) == list(range(1, 121))
    assert api.get("/lists/1")["list"]["name"].endswith("-39")
    api.account.close()


def test_a_failing_transaction_leaves_nothing() -> None:
    """All writes of a block are undone, in memory too, when it raises."""
    rows = Rows(None)
    rows.put("tags", "1", {"id": "1", "tag": "a"})

    def fail() -> None:
        with rows.transaction():
            rows.put("tags", "2", {"id": "2", "tag": "b"})
            rows.remove("tags", "1")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert [row["id"] for row in rows.all("tags")] == ["1"]
    rows.close()


def test_an_index_follows_changes() -> None:
    """`where` finds rows by what they are now, in the order in which they were made."""
    rows = Rows(None)
    for identity, color in (("1", "red"), ("2", "blue"), ("3", "red")):
        rows.put("x", identity, {"id": identity, "color": color})
    assert [row["id"] for row in rows.where("x", color="red")] == ["1", "3"]
    rows.put("x", "2", {"id": "2", "color": "red"})
    rows.remove("x", "3")
    assert [row["id"] for row in rows.where("x", color="red")] == ["1", "2"]
    assert [row["id"] for row in rows.where("x", color="red", id="2")] == ["2"]
    assert rows.where("x", color="blue") == []
    rows.close()


def test_a_wrong_seed_leaves_the_account_alone(api: Api) -> None:
    """A seed is loaded wholly or not at all, and the error says what is wrong."""
    for wrong, message in (
        ({"tags": [{"tag": "a"}], "nonsense": []}, "not a path of the API"), ({"tags": {"tag": "a"}}, "list of rows"),
        ({"tags": [{"tag": "a"}], "settings": {"nonsense": 1}}, "unknown settings"),
        ({"settings": {"list_put": "never"}}, "is one of"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            api.account.seed(wrong)
    assert api.get("/tags")["meta"]["total"] == "0"


def test_ten_thousand_objects(tmp_path: Path) -> None:
    """Reading 3,000 fields with options and 10,000 tags by pages does not take a time that grows with its square."""
    account = open_account(tmp_path / "a.db")
    account.seed(
        {
            "fields": [{"title": str(n), "options": ["a", "b"], "relids": ["0"]} for n in range(3_000)],
            "tags": [{"tag": str(n)} for n in range(10_000)],
        }
    )
    api = Api(account)
    began = time.process_time()
    for path, many in (("fields", 3_000), ("tags", 10_000)):
        seen = [row["id"] for n in range(many // 100) for row in api.get(f"/{path}", limit=100, offset=n * 100)[path]]
        assert len(set(seen)) == many
    assert time.process_time() - began < 20  # takes about 1 s; a quadratic one took minutes
    account.close()


def test_a_full_disk_is_an_answer(tmp_path: Path) -> None:
    """What cannot be written is not done, and said with 507; once there is room again, everything goes on."""
    api = Api(open_account(tmp_path / "a.db"))
    database = api.account.rows._db
    database.execute("PRAGMA max_page_count = 1")  # SQLite takes what the file has by now
    made = []
    for number in range(200):
        reply = api("POST", "/tags", {"tag": {"tag": f"t{number}" + "x" * 100}})
        made.append(reply.status)
        if reply.status == 507:
            break
    assert made[-1] == 507
    assert "full" in reply.body["message"]
    assert len(api.get("/tags")["tags"]) == min(len(made) - 1, 20)
    database.execute("PRAGMA max_page_count = 100000")
    api.make("/tags", "tag", tag="last")
    assert api.get("/tags")["meta"]["total"] == str(len(made))
    api.account.close()
