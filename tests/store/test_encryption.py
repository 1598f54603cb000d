"""Encryption at rest: age files for several recipients, and errors that tell wrong keys, tampering and damage apart."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from reconciler.model.errors import ReconcilerError, StateError
from reconciler.model.redaction import as_made
from reconciler.model.run import RunRecord
from reconciler.store import StoreOptions, open_store
from reconciler.store.documents import DocumentStore
from reconciler.store.encryption import Seal
from tests.required import absent
from tests.store.conftest import info
from tests.store.test_conformance import bind, state
from tests.world import World

ALICE, BOB, EVE = (pyrage.x25519.Identity.generate() for _ in range(3))
SECRET = b"nobody may read this"


def seal(*recipients: object, identity: object = "") -> Seal:
    """A seal for recipients, with one identity at hand."""
    return Seal([str(one.to_public()) for one in recipients], {"RECONCILER_AGE_IDENTITY": str(identity)})  # type: ignore[attr-defined]


def store_of(folder: Path, recipients: tuple[object, ...], identity: object) -> DocumentStore:
    """A state in a file, encrypted for recipients."""
    keys = tuple(str(one.to_public()) for one in recipients)  # type: ignore[attr-defined]
    return open_store(
        "file:prod.json", folder, StoreOptions("prod", keys, 20, {"RECONCILER_AGE_IDENTITY": str(identity)})
    )


def test_each_recipient_reads(tmp_path: Path) -> None:
    """Everything in a store is encrypted, and any of its recipients reads it with its own identity."""
    store = store_of(tmp_path, (ALICE, BOB), ALICE)
    with store.lock(info()):
        store.write(state(1, "vip"), expected_serial=None)
        store.write(state(2, "vip", "gold"), expected_serial=1)
        store.append([bind("silver")])
        store.append([bind("bronze")])
        store.save_run(RunRecord(name="r1", operation="apply", notes=[as_made("vip")]))
    for path in tmp_path.rglob("*"):
        assert path.name == "prod.json.lock" or path.is_dir() or b"vip" not in path.read_bytes(), path
    theirs = store_of(tmp_path, (ALICE, BOB), BOB)
    found = theirs.read()
    assert found is not None
    assert sorted(found.resources) == ["tag.gold", "tag.vip"]
    assert [record.address for record in theirs.journal()] == ["tag.silver", "tag.bronze"]
    assert len(theirs.history()) == 1
    run = theirs.run("r1")
    assert run is not None
    assert run.notes == ["vip"]


def test_nothing_is_written_that_its_writer_could_not_read(tmp_path: Path) -> None:
    """Without an identity among the recipients a run ends before its first record, so before its first write."""
    for identity, said in [("", "no key to read it was given"), (EVE, "encrypted for other keys than yours")]:
        store = store_of(tmp_path, (ALICE,), identity)
        with store.lock(info()):
            with pytest.raises(StateError, match=said):
                store.append([bind("silver")])
            with pytest.raises(StateError, match=said):
                store.write(state(1), expected_serial=None)
    assert store_of(tmp_path, (ALICE,), ALICE).read() is None


def test_an_ssh_key_is_a_recipient_and_an_identity(tmp_path: Path) -> None:
    """What is encrypted for somebody's SSH key is read with it, alone or beside other identities."""
    ran = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")]
    if shutil.which("ssh-keygen") is None:
        absent("ssh-keygen is not installed (apt-get install openssh-client)")
    subprocess.run(ran, check=True, stdin=subprocess.DEVNULL)
    public, private = ((tmp_path / name).read_text("utf-8") for name in ("key.pub", "key"))
    sealed = Seal([public.strip()]).close(SECRET)
    assert Seal((), {"RECONCILER_AGE_IDENTITY_FILE": str(tmp_path / "key")}).open(sealed, "a file") == SECRET
    assert Seal((), {"RECONCILER_AGE_IDENTITY": f"{BOB}\n{private}"}).open(sealed, "a file") == SECRET
    nonsense = re.sub("\n[A-Za-z0-9+/=]{20}", "\nAAAAAAAAAAAAAAAAAAAA", private)
    with pytest.raises(StateError, match="an SSH key cannot be used"):
        Seal((), {"RECONCILER_AGE_IDENTITY": nonsense}).open(sealed, "a file")


@pytest.mark.parametrize("path", ["nowhere.txt", "."])
def test_an_identity_file_that_cannot_be_read_is_told(path: str, tmp_path: Path) -> None:
    """The message names the file, and the hint the variable and how to make one."""
    with pytest.raises(StateError, match="the identity file") as missing:
        Seal((), {"RECONCILER_AGE_IDENTITY_FILE": str(tmp_path / path)}).open(seal(ALICE).close(SECRET), "a file")
    assert "RECONCILER_AGE_IDENTITY_FILE" in missing.value.hint


@pytest.mark.parametrize("wrong", ["age1nonsense", "''", "AGE-SECRET-KEY-1X", "ssh-rsa AAAA"])
def test_a_recipient_of_another_form_is_told_with_its_place(world: World, wrong: str) -> None:
    """A recipient that is no key is a mistake in the project file, seen before anything is read."""
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    world.write(project + f"encryption: {{recipients: [{wrong}]}}\n", "reconciler.yaml")
    ran = world.cli("validate")
    assert ran.code == 3
    assert re.search(r"reconciler\.yaml:\d+:\d+: error: item 1 of `recipients`", ran.err)
    assert "age-keygen" in ran.err


def test_a_wrong_key_is_told(tmp_path: Path) -> None:
    """Neither damage nor tampering: the file is for somebody else."""
    store_of(tmp_path, (ALICE,), ALICE).write(state(1), expected_serial=None)
    with pytest.raises(StateError, match="encrypted for other keys than yours"):
        store_of(tmp_path, (ALICE,), EVE).read()
    with pytest.raises(StateError, match="no key to read it was given") as missing:
        store_of(tmp_path, (ALICE,), "").read()
    assert "RECONCILER_AGE_IDENTITY_FILE" in missing.value.hint
    with pytest.raises(StateError, match="an age identity cannot be read"):
        store_of(tmp_path, (ALICE,), "AGE-SECRET-KEY-1NONSENSE").read()


@pytest.mark.parametrize("place", [-1, -20, 200])
def test_tampering_is_told(place: int) -> None:
    """One changed byte in the contents is seen by the authentication code."""
    sealed = bytearray(seal(ALICE).close(SECRET * 20))
    sealed[place if place < 0 else len(sealed) - 100] ^= 1
    with pytest.raises(StateError, match="altered or truncated"):
        seal(identity=ALICE).open(bytes(sealed), "the state")


@pytest.mark.parametrize("keep", [22, 60, 100])
def test_damage_is_told(keep: int) -> None:
    """A header that is cut off is neither a wrong key nor tampering."""
    with pytest.raises(StateError, match="damaged: it is an age file whose header"):
        seal(identity=ALICE).open(seal(ALICE).close(SECRET)[:keep], "the state")


def test_recipients_change(tmp_path: Path) -> None:
    """`state rekey` lets a new recipient in and an old one out, history and run records included."""
    old = store_of(tmp_path, (ALICE,), ALICE)
    old.write(state(1), expected_serial=None)
    old.write(state(2), expected_serial=1)
    old.save_run(RunRecord(name="r1", operation="apply"))
    assert store_of(tmp_path, (BOB,), ALICE).reseal() == 3
    new = store_of(tmp_path, (BOB,), BOB)
    assert new.read() is not None
    assert new.version(1) is not None
    assert new.run("r1") is not None
    with pytest.raises(StateError, match="other keys"):
        store_of(tmp_path, (BOB,), ALICE).read()


def test_encryption_is_switched_on_over_a_plain_state(tmp_path: Path) -> None:
    """A plain state is read and written encrypted from then on."""
    open_store("file:prod.json", tmp_path, StoreOptions()).write(state(1), expected_serial=None)
    store = store_of(tmp_path, (ALICE,), ALICE)
    store.write(state(2), expected_serial=1)
    assert (tmp_path / "prod.json").read_bytes().startswith(b"age-encryption.org/v1")
    assert store.read() is not None


def test_the_age_program_reads_what_is_written(tmp_path: Path) -> None:
    """A state can be read without this program: `age --decrypt`."""
    age = shutil.which("age")
    if age is None:
        absent("age (Debian's package of that name) is not installed")
    store_of(tmp_path, (ALICE, BOB), ALICE).write(state(1, "vip"), expected_serial=None)
    key = tmp_path / "bob.txt"
    key.write_text(f"# Bob's\n{BOB}\n", "utf-8")
    command = [age, "--decrypt", "--identity", str(key), str(tmp_path / "prod.json")]
    assert '"tag.vip"' in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = subprocess.run(
        [age, "--encrypt", "--recipient", str(ALICE.to_public())], input=SECRET, check=True, capture_output=True
    ).stdout
    assert seal(identity=ALICE).open(theirs, "a file") == SECRET


def test_a_wrong_recipient_and_a_missing_extra_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    with pytest.raises(StateError, match="not an age recipient"):
        Seal(["age1nonsense"]).close(SECRET)
    sealed = seal(ALICE).close(SECRET)
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(ReconcilerError, match="extra `encrypt`"):
        seal(ALICE).close(SECRET)
    with pytest.raises(ReconcilerError, match="extra `encrypt`"):
        seal(identity=ALICE).open(sealed, "the state")
    assert Seal().close(SECRET) == SECRET


def test_a_whole_project_is_encrypted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With recipients in the project file, plans, states and run records are age files, and every command works."""
    key = world.folder / "key.txt"
    key.write_text(f"{ALICE}\n", "utf-8")
    monkeypatch.setenv("RECONCILER_AGE_IDENTITY_FILE", str(key))
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    world.write(project + f"encryption: {{recipients: [{ALICE.to_public()}, {BOB.to_public()}]}}\n", "reconciler.yaml")
    world.write("tags: {canary_tag: {name: Canary}}")
    plan = world.folder / "plan.age"
    assert world.cli("plan", "--out", str(plan)).code == 0
    assert plan.read_bytes().startswith(b"age-encryption.org/v1")
    assert "canary_tag" in world.cli("show", str(plan)).out
    ran = world.cli("apply", str(plan))
    assert ran.code == 0, ran.text
    assert "canary_tag" in world.cli("runs", "show").out
    assert "canary_tag" in world.cli("state", "pull").out
    assert world.cli("state", "rekey").code == 0
    for path in (world.folder / "state").rglob("*"):
        assert path.is_dir() or b"canary" not in path.read_bytes().lower(), path
    monkeypatch.delenv("RECONCILER_AGE_IDENTITY_FILE")
    refused = world.cli("plan")
    assert refused.code == 1
    assert "no key to read it" in refused.err
