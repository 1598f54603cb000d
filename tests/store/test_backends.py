"""What single backends add to what all promise: URLs, extras that are missing, the http protocol's statuses."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.model.errors import LockHeld, ReconcilerError, StateDamaged, StateError
from reconciler.model.ports import AT_ONCE
from reconciler.store import StoreOptions, open_store, wire
from reconciler.store.blobs import Conflict
from reconciler.store.sqlite import SqliteBlobStore
from tests.store.conftest import Place, info
from tests.store.gcs_server import Gcs
from tests.store.http_backend import Backend
from tests.store.test_conformance import intent, state


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("s3://bucket/prod.json", "obstore", "objectstore"),
        ("gs://bucket/prod.json", "obstore", "objectstore"),
        ("az://container/prod.json", "obstore", "objectstore"),
        ("postgresql://db/states", "psycopg", "postgres"),
    ],
)
def test_a_missing_extra_is_named(
    url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the package of a backend the message says which extra to install; other backends go on working."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ReconcilerError, match=f"extra `{extra}`") as missing:
        open_store(url, tmp_path, StoreOptions())
    assert f"reconciler[{extra}]" in missing.value.hint
    assert open_store("file:prod.json", tmp_path, StoreOptions()).read() is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/prod.json", "cannot be kept in `ftp:`"),
        ("s3://bucket", "does not name an object"),
        ("s3://bucket/prod.json?colour=red", "`colour` cannot stand in the URL"),
        ("s3://[bucket/prod.json", "the URL of the state, `s3:...`, is none"),
        ("postgresql://jane:pw@[host/states", "the URL of the state, `postgresql:...`, is none"),
        ("https://[host/prod", "the URL of the state, `https:...`, is none"),
    ],
)
def test_a_wrong_url_is_told(url: str, said: str, tmp_path: Path) -> None:
    """The message says what is wrong and what is known."""
    with pytest.raises(StateError, match=said) as wrong:
        open_store(url, tmp_path, StoreOptions())
    assert wrong.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "s3://states/x.json?endpoint=http://127.0.0.1:9&region=us-east-1",
        "postgresql://jane:geheim@127.0.0.1:9/states",
        "http://jane:geheim@127.0.0.1:9/states/prod",
        "http://jane:geheim@127.0.0.1:9/stätes/prod",
        "http://jane:geheim@a..b/states/prod",
    ],
)
def test_a_backend_that_is_down_is_told_without_secrets(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, a hint, no password."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    with pytest.raises(StateError) as down:
        open_store(url, tmp_path, StoreOptions()).read()
    assert "geheim" not in down.value.message + down.value.hint
    assert "\n" not in down.value.message
    assert down.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://jane:ge%heim@127.0.0.1:9/states",
        "postgresql://jane:ge heim@127.0.0.1:9/states",
        "postgresql://jane:ge/heim@127.0.0.1:9/states",
        "postgresql://jane@127.0.0.1:9/states?password=ge%heim",
        "https://jane:ge?heim@127.0.0.1:9/states",
    ],
)
def test_a_password_that_should_be_percent_encoded_is_not_shown(url: str, tmp_path: Path) -> None:
    """Neither by us, who cannot take the URL apart, nor by the library, which quotes what it does not understand."""
    with pytest.raises(StateError) as wrong:
        open_store(url, tmp_path, StoreOptions()).read()
    assert "heim" not in wrong.value.message + wrong.value.hint


def test_a_database_behind_a_socket_is_reached_with_all_options(tmp_path: Path, postgresql_url: str) -> None:
    """A URL without a host is one of libpq's, and its options arrive as they are written."""
    port = urlsplit(postgresql_url).port
    options = "host=127.0.0.1&user=tester&options=-c%20statement_timeout%3D5s&state=a+b"
    store = open_store(f"postgresql:///postgres?port={port}&{options}", tmp_path, StoreOptions())
    store.write(state(1), expected_serial=None)
    store.close()
    assert store.where == "postgresql:///postgres (a b)"


@pytest.mark.parametrize("place", ["s3-moto"], indirect=True)
def test_a_refusal_in_xml_is_told_by_its_code(place: Place) -> None:
    """The rest is for programs."""
    place.url = place.url.replace("//states/", "//nobody-made-this/")
    with pytest.raises(StateError, match=r"404 Not Found: NoSuchBucket$"):
        place.open().history()


@pytest.mark.parametrize("place", ["s3-moto", "s3-seaweedfs", "gs", "az"], indirect=True)
def test_a_missing_bucket_is_no_lock_that_somebody_holds(place: Place) -> None:
    """The lock cannot be written there, which is told at once, and as what it is."""
    place.url = place.url.replace("//states/", "//nobody-made-this/")
    with pytest.raises(StateError, match="cannot be written") as missing, place.open().lock(info(), timeout=10.0):
        pass
    assert "bucket" in missing.value.hint
    assert place.watch.steady == 1_000.0, "there is nothing to wait for"


@pytest.mark.parametrize("place", ["gs"], indirect=True)
def test_google_takes_one_write_a_second_and_more_are_tried_again(place: Place, gcs_server: Gcs) -> None:
    """Cloud Storage slows down writers of one object, as a short apply is of its lock, with 429."""
    store = place.open()
    store.write(state(1), expected_serial=None)
    for statuses in ([429], [503, 429]):
        gcs_server.failing = list(statuses)
        with store.lock(info()):
            pass
    assert [line.rpartition(" ")[2] for line in gcs_server.log].count("429") == 2
    assert place.open().read() is not None


@pytest.mark.parametrize("place", ["gs"], indirect=True)
def test_a_lock_is_looked_at_seldom(place: Place, gcs_server: Gcs) -> None:
    """Writes of a quick apply cost the backend nothing, those of a long one a read each three seconds."""
    with place.open().lock(info()) as hold:
        gcs_server.log.clear()
        for _ in range(100):
            hold.check()
            place.watch.advance(0.1)
    assert [line.partition(" ")[0] for line in gcs_server.log] == ["GET"] * 3 + ["PUT"]


@pytest.mark.parametrize("place", ["gs"], indirect=True)
def test_a_backend_that_is_away_for_a_moment_is_no_lost_lock(place: Place, gcs_server: Gcs) -> None:
    """The lease lasts all the same; what cannot be written is told by the write."""
    with place.open().lock(info()) as hold:
        place.watch.advance(5.0)
        gcs_server.failing = [403]
        hold.check()
        place.watch.advance(5.0)
        hold.check()
    assert [line.rpartition(" ")[2] for line in gcs_server.log][-3:] == ["403", "200", "200"]


@pytest.mark.parametrize("place", ["gs", "az"], indirect=True)
def test_refused_credentials_are_told_in_a_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the URL and the status, and no key."""
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "geheim")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "Z2VoZWlt")
    with pytest.raises(StateError, match=rf"^{place.name}://states/.* 40[13] ") as refused:
        place.open().read()
    assert "credentials" in refused.value.hint
    assert not any(secret in refused.value.message for secret in ("geheim", "Z2VoZWlt", "\n"))


def test_an_empty_database_is_one_that_was_cut_off(tmp_path: Path) -> None:
    """SQLite takes it for a new one, and a plan would say that nothing is managed."""
    path = tmp_path / "all.db"
    path.touch()
    store = open_store("sqlite:all.db", tmp_path)
    with pytest.raises(StateDamaged, match="is an empty file") as empty:
        store.read()
    assert "remove the file" in empty.value.hint
    with pytest.raises(StateDamaged, match="is an empty file"):
        SqliteBlobStore(path).put("", b"{}", None)
    assert path.stat().st_size == 0


def test_a_new_database_is_never_seen_empty(tmp_path: Path) -> None:
    """It has its table before the first transaction ends, or fails."""
    with pytest.raises(Conflict):
        SqliteBlobStore(tmp_path / "all.db").put("", b"{}", "7")
    assert open_store("sqlite:all.db", tmp_path).read() is None


def test_a_full_disk_leaves_no_empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run begins as the first one did."""
    real = Path.open

    def full(path: Path, *mode: Any, **more: Any) -> Any:
        if path.name == "all.db":
            path.touch()
            raise OSError(28, os.strerror(28))
        return real(path, *mode, **more)

    store = open_store("sqlite:all.db", tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        with pytest.raises(StateError, match="No space left"):
            store.write(state(1), expected_serial=None)
    store.write(state(1), expected_serial=None)


@pytest.fixture
def http_place(http_server: Backend, tmp_path: Path) -> Place:
    """A place at the http backend."""
    return Place("http", f"{http_server.url}/states/prod", tmp_path)


def test_the_http_protocol_is_spoken(http_place: Place, http_server: Backend) -> None:
    """LOCK, reads, writes with the lock's id, UNLOCK; the first write creates (201), later ones replace (200). That the
    lock is held, and that it was given back, is written too.
    """
    store = http_place.open()
    with store.lock(info()):
        store.write(state(1), expected_serial=None)
        store.write(state(2), expected_serial=1)
    calls = [line.replace("/states/prod ", "") for line in http_server.log]
    assert calls[0] == "LOCK 200"
    assert calls[-1] == "UNLOCK 200"
    assert [call for call in calls if call.startswith("POST")] == ["POST 201", *["POST 200"] * 3]
    assert "GET 404" in calls


def test_the_top_level_serial_rises_with_every_write(http_place: Place, http_server: Backend) -> None:
    """GitLab makes a version of each write from it, and refuses one that it has."""
    store = http_place.open()
    serials = []
    for serial in (1, 2, 3):
        store.write(state(serial), expected_serial=serial - 1 if serial > 1 else None)
        serials.append(json.loads(http_server.documents["/states/prod"])["serial"])
    assert serials == [1, 2, 3]


@pytest.mark.parametrize("statuses", [[500], [502, 503]])
def test_a_server_that_stumbles_is_asked_again(http_place: Place, http_server: Backend, statuses: list[int]) -> None:
    """A 5xx is tried again, a few times."""
    store = http_place.open()
    store.write(state(1), expected_serial=None)
    http_server.failing = list(statuses)
    found = store.read()
    assert found is not None
    assert found.serial == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "TF_HTTP_USERNAME"),
        (403, "Maintainer"),
        (400, "check the URL"),
        (500, "check the URL"),
        (301, "redirects are not followed"),
    ],
)
def test_a_refusal_says_what_to_do(http_place: Place, http_server: Backend, status: int, said: str) -> None:
    """The hint fits the status."""
    http_server.failing = [status] * 3
    with pytest.raises(StateError, match=str(status)) as refused:
        http_place.open().read()
    assert said in refused.value.hint


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_that_is_redirected_is_no_success(http_place: Place, http_server: Backend, status: int) -> None:
    """Followed, it would be a GET that answers 200, and nothing would be written."""
    store = http_place.open()
    store.write(state(1), expected_serial=None)
    http_server.on_post = (status, f"{http_server.url}/states/prod")
    with pytest.raises(StateError, match=f"answered {status}"):
        store.write(state(2), expected_serial=1)
    http_server.on_post = None
    found = http_place.open().read()
    assert found is not None
    assert found.serial == 1


def test_a_server_without_locks_is_refused(http_place: Place, http_server: Backend) -> None:
    """Two runs would overwrite each other there."""
    http_server.locking = False
    with pytest.raises(StateError, match="has no lock"), http_place.open().lock(info()):
        pass


def test_another_programs_state_is_not_touched(http_place: Place, http_server: Backend) -> None:
    """A Terraform state at that address is recognised as none of ours."""
    http_server.documents["/states/prod"] = b'{"version": 4, "serial": 3, "resources": []}'
    with pytest.raises(StateError, match="another program"):
        http_place.open().write(state(1), expected_serial=None)
    assert http_server.documents["/states/prod"] == b'{"version": 4, "serial": 3, "resources": []}'


def test_terraforms_own_holder_is_named(http_place: Place, http_server: Backend) -> None:
    """Whoever holds the lock is named, even a program that fills it in another way."""
    http_server.locks["/states/prod"] = {"ID": "tf-1", "Operation": "OperationTypeApply", "Who": "joe@ci", "Info": ""}
    with pytest.raises(LockHeld, match="joe on ci for OperationTypeApply"), http_place.open().lock(info()):
        pass
    assert http_place.open().break_lock("tf-1")
    assert http_server.locks == {}


def test_a_password_in_the_url_may_hold_any_letter(http_server: Backend, tmp_path: Path) -> None:
    """It is percent-encoded there, and sent as it is."""
    http_server.password = "p@ss/w"
    url = f"{http_server.url.replace('http://', 'http://ci:p%40ss%2Fw@')}/states/prod"
    assert open_store(url, tmp_path, StoreOptions()).read() is None


def test_gitlab_addresses_are_recognised(http_server: Backend, tmp_path: Path) -> None:
    """A GitLab state locks with POST and unlocks with DELETE below `/lock`, all seven members filled, with a login."""
    http_server.password = "pw"
    url = f"{http_server.url.replace('http://', 'http://ci:pw@')}/api/v4/projects/acme%2Fcrm/terraform/state/prod"
    store = open_store(url, tmp_path, StoreOptions())
    with store.lock(info()):
        store.write(state(1), expected_serial=None)
    path = "/api/v4/projects/acme%2Fcrm/terraform/state/prod"
    assert http_server.log[0] == f"POST {path}/lock 200"
    assert http_server.log[-1] == f"DELETE {path}/lock 200"
    assert "pw" not in store.where


BOUND = 40.0
"""Seconds that a write may be under way."""


def test_over_http_a_server_that_is_away_lets_the_lock_run_out(http_place: Place, http_server: Backend) -> None:
    """The holder goes on for a lease since the server last said that the lock is its own, less what a write takes."""
    with http_place.open().lock(info()) as hold:
        hold.check(BOUND)
        http_server.failing = [500] * 1000
        http_place.watch.advance(17.0)
        hold.check(BOUND)
        http_place.watch.advance(4.0)
        with pytest.raises(StateError, match=r"lock .* was lost"):
            hold.check(BOUND)
        http_server.failing = []
        http_place.watch.advance(4.0)
        hold.check(BOUND)


def test_over_http_the_lock_that_a_question_took_is_given_back(http_place: Place, http_server: Backend) -> None:
    """The holder asks by trying to take the lock; where it was broken, that succeeds, and keeps nobody out."""
    with http_place.open().lock(info("jane")) as hold:
        http_server.locks.clear()
        http_place.watch.advance(4.0)
        with pytest.raises(StateError, match=r"lock .* was lost"):
            hold.check(BOUND)
        assert http_server.locks == {}


def test_over_http_a_lock_that_was_broken_on_the_server_itself_is_waited_out(
    http_place: Place, http_server: Backend
) -> None:
    """Nobody but the bundle knows that it was not given back."""
    holding = http_place.open().lock(info("jane"))
    holding.__enter__()
    http_server.locks.clear()
    began = http_place.watch.steady
    with http_place.open().lock(info("joe")):
        assert http_place.watch.steady - began == pytest.approx(60.0)
    began = http_place.watch.steady
    with http_place.open().lock(info("jim")):
        assert http_place.watch.steady == began, "joe gave it back"


def test_over_http_a_lock_that_was_not_given_back_is_waited_out_from_try_to_try(
    http_place: Place, http_server: Backend
) -> None:
    """By a caller that waits by itself: each try ends at once, and gives the server's lock back."""
    holding = http_place.open().lock(info("jane"))
    holding.__enter__()
    http_server.locks.clear()
    store, began, tries = http_place.open(), http_place.watch.steady, 0
    with contextlib.ExitStack() as stack:
        for tries in range(1, 30):
            try:
                stack.enter_context(store.lock(info("joe"), timeout=AT_ONCE))
                break
            except LockHeld:
                assert http_server.locks == {}
                assert http_place.watch.steady == began + 3.0 * (tries - 1), "it waited"
                http_place.watch.advance(3.0)
        assert http_place.watch.steady - began == pytest.approx(60.0)


def test_over_http_a_server_that_names_no_holder_stops_it_when_it_records(
    http_place: Place, http_server: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound of decision 0136: whose lock it is, nobody says; the write that is refused says it."""
    told = http_server.lock

    def lock(path: str, body: bytes, taken: int) -> tuple[int, bytes]:
        return told(path, body, taken)[0], b""

    monkeypatch.setattr(http_server, "lock", lock)
    store = http_place.open()
    with contextlib.suppress(StateError), store.lock(info("jane")) as hold:
        http_server.locks = {path: {"ID": "another"} for path in http_server.locks}
        http_place.watch.advance(4.0)
        hold.check(BOUND)
        with pytest.raises(StateError, match="the lock is not ours"):
            store.append([intent("a")])
        with pytest.raises(StateError, match=r"lock .* was lost"):
            hold.check(BOUND)


@pytest.mark.parametrize(("limit", "value", "said"), [("WHOLE", 0.0, "seconds"), ("MOST_BYTES", 2**20, "bytes")])
def test_a_state_that_does_not_end_is_given_up(
    limit: str, value: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of states that sends and sends: an error that names the state, not a process that hangs or is killed."""

    class Endless(io.BytesIO):
        status = 200

        def read1(self, size: int | None = -1) -> bytes:
            return b" " * (size or 1)

    class Opener:
        def open(self, request: object, timeout: float) -> Endless:
            return Endless()

    monkeypatch.setattr(wire, limit, value)
    monkeypatch.setattr(wire, "_opener", lambda url: Opener())
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(StateError, match=said):
        wire.Wire("https://state.example/demo", {}).send("GET")


@pytest.mark.parametrize("breaking", [False, True])
def test_who_dies_while_looking_locks_nobody_out(
    http_place: Place, http_server: Backend, monkeypatch: pytest.MonkeyPatch, breaking: bool
) -> None:
    """The protocol is asked by locking: a lock that a dead process of this machine left is taken away by the next."""
    store = http_place.open()
    if breaking:
        http_server.locks["/states/prod"] = {"ID": "tf-1", "Operation": "apply", "Who": "joe@ci", "Info": ""}
    unlock, calls = wire.Wire.unlock, []

    def dies(wired: wire.Wire, content: bytes) -> Any:
        calls.append(json.loads(content)["ID"])
        if calls[-1] != "tf-1":
            raise KeyboardInterrupt
        return unlock(wired, content)

    monkeypatch.setattr(wire.Wire, "unlock", dies)
    with pytest.raises(KeyboardInterrupt):
        store.break_lock("tf-1") if breaking else store.holder()
    monkeypatch.undo()
    assert [one["ID"] for one in http_server.locks.values()] == calls[-1:]
    with pytest.raises(LockHeld, match="for lock"), http_place.open().lock(info()):
        pass
    http_place.watch.dead = bool
    with http_place.open().lock(info()):
        pass
    assert http_server.locks == {}


def test_a_look_of_somebody_else_keeps_nobody_out(http_place: Place, http_server: Backend) -> None:
    """`lock list` holds the lock for a moment: whoever wants it asks again, without --lock-timeout."""
    http_server.locks["/states/prod"] = {"ID": "probe", "Operation": "lock list", "Who": "ann@other", "Info": ""}
    http_place.watch.on_sleep = http_server.locks.clear
    with http_place.open().lock(info()):
        pass
    assert http_server.locks == {}
