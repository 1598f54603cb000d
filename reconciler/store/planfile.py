"""Files with a saved plan: readable by their owner only, encrypted where there are recipients, and proven when read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.model.document import PLAN_FORMAT, PlanDocument, digest
from reconciler.model.documents import as_document, is_readable, read_json, written
from reconciler.model.errors import StalePlan
from reconciler.model.kind import Kinds, fits
from reconciler.store.atomic import write_file
from reconciler.store.encryption import Seal
from reconciler.store.outputs import check_out
from reconciler.store.reading import read_regular

AGAIN = "make a new plan with `reconciler plan --out FILE`"


def read_plan(path: Path, kinds: Kinds) -> PlanDocument:
    """Read a saved plan, decrypting it with the identity that the environment names. Raises StalePlan where it is not
    a plan, was altered, or is of a newer major format; StateError where it cannot be decrypted.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise StalePlan(f"{path} cannot be read: {error.strerror}", hint=AGAIN) from error
    return parse_plan(content, path, kinds)


def parse_plan(text: bytes, path: Path, kinds: Kinds) -> PlanDocument:
    """Read a plan from what is, or will be, the content of a file. Raises as `read_plan` does."""
    try:
        opened = Seal((), os.environ).open(text, f"the plan {path}")
        content = read_json(opened)
    except ValueError as error:
        raise StalePlan(f"{path} is not a plan: it is truncated, damaged or not JSON", hint=AGAIN) from error
    version = str(content.get("format_version", "")) if isinstance(content, dict) else ""
    if not is_readable(version, PLAN_FORMAT):
        raise StalePlan(
            f"{path} has plan format {version or 'none'}; this program reads {PLAN_FORMAT.partition('.')[0]}.x",
            hint="use the version that wrote it, or make a new plan",
        )
    if digest(content) != content.get("digest"):
        raise StalePlan(f"{path} was altered after it was made: its digest does not fit", hint=AGAIN)
    del content  # larger than the plan, which is made of the text
    try:
        return as_document(PlanDocument, opened, fits(kinds))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StalePlan(f"{path} is not a plan: {first['msg']} at {where}", hint=AGAIN) from error


def keep_plan(content: bytes, path: Path, kinds: Kinds) -> PlanDocument:
    """Write a plan that came from elsewhere, as it is, once it is proven to be one. Raises StalePlan."""
    document = parse_plan(content, path, kinds)
    _write(content, path)
    return document


def write_plan(document: PlanDocument, path: Path, recipients: Sequence[str] = ()) -> None:
    """Write a plan document, readable by its owner only, and encrypted where there are recipients."""
    content = Seal(recipients).close(written(document))
    _write(content, path)


def _write(content: bytes, path: Path) -> None:
    check_plan_out(path)
    write_file(path, content, mode=0o600)


def check_plan_out(path: Path) -> None:
    """Raise ReconcilerError where a plan would be written over something that is none."""

    def is_plan(content: Mapping[str, Any]) -> bool:
        recognised = isinstance(content.get("digest"), str) and isinstance(content.get("format_version"), str)
        changes = content.get("changes")
        return recognised and isinstance(changes, list) and all(isinstance(change, dict) for change in changes)

    check_out(path, is_plan, "a plan")
