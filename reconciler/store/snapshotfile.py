"""Files with a snapshot of an account."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.documents import is_readable, read_document
from reconciler.model.errors import WrongInput
from reconciler.model.snapshot_file import RECORDING_FORMAT, Recording
from reconciler.store.atomic import write_file
from reconciler.store.outputs import check_out
from reconciler.store.reading import read_regular


def write_snapshot(recording: Recording, path: Path) -> None:
    """Write a snapshot file. Raises ReconcilerError where something else stands there."""
    check_snapshot_out(path)
    write_file(path, (recording.model_dump_json(indent=1) + "\n").encode())


def check_snapshot_out(path: Path) -> None:
    """Raise ReconcilerError where a snapshot would be written over something that is none."""
    check_out(path, lambda content: "exchanges" in content, "a snapshot")


def read_snapshot(path: Path) -> Recording:
    """Read a snapshot file. Raises ReconcilerError."""
    try:
        recording = read_document(Recording, read_regular(path))
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise WrongInput(f"{path} is not a snapshot", hint="`reconciler snapshot --out FILE` writes one") from error
    if not is_readable(recording.format_version, RECORDING_FORMAT) or not recording.exchanges:
        raise WrongInput(f"{path} is not a snapshot of a format that this version reads")
    return recording
