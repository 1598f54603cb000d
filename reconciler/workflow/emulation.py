"""The verbs of `emulator`: serving, seeding and resetting the built-in account."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler import emulator
from reconciler.config import plain_data
from reconciler.model.errors import ReconcilerError
from reconciler.workflow.session import open_emulator


def serve(
    path: Path, host: str, port: int, rate_limit: float | None, token: str | None, ready: Callable[[str], None]
) -> None:
    """Serve the account kept in `path` until interrupted; `ready` is told the URL."""
    account = open_emulator(path)
    settings = replace(account.settings, rate_limit=rate_limit)
    account.close()
    if token:
        settings = replace(settings, token=token)
    emulator.serve(path, host, port, settings, ready)


def seed(path: Path, source: Path) -> Any:
    """Load a seed file, YAML or JSON, into the account kept in `path`. Raises ReconcilerError for what is no seed."""
    text = source.read_text("utf-8")
    data = json.loads(text) if source.suffix == ".json" else plain_data(text, str(source))
    if not isinstance(data, dict):
        raise ReconcilerError(f"{source} is not a seed: it has to be a map", hint="see the emulator's page in the docs")
    account = open_emulator(path)
    try:
        return account.seed(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ReconcilerError(f"{source} cannot be loaded: {error}") from error
    finally:
        account.close()


def reset(path: Path) -> None:
    """Bring the account kept in `path` back to what a fresh one holds."""
    account = open_emulator(path)
    try:
        account.reset()
    finally:
        account.close()
