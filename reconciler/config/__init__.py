"""YAML in, Desired out, with the position of every value; the only home of yaml."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reconciler.config.credentials import credentials
from reconciler.config.doubts import doubts
from reconciler.config.interpolation import Uses
from reconciler.config.loading import Loaded, load, load_texts, plain_data, project_files
from reconciler.config.project import (
    LoadedProject,
    Settings,
    differing,
    environment,
    held_to,
    load_project,
    parse_project,
)

if TYPE_CHECKING:
    from reconciler.config.dumping import content_of, dump
    from reconciler.config.formatting import formatted
    from reconciler.config.schema import config_schema, project_schema

__all__ = [
    "Loaded",
    "LoadedProject",
    "Settings",
    "Uses",
    "config_schema",
    "content_of",
    "credentials",
    "differing",
    "doubts",
    "dump",
    "environment",
    "formatted",
    "held_to",
    "load",
    "load_project",
    "load_texts",
    "parse_project",
    "plain_data",
    "project_files",
    "project_schema",
]

_WRITING = {
    "content_of": "dumping",
    "dump": "dumping",
    "formatted": "formatting",
    "config_schema": "schema",
    "project_schema": "schema",
}
"""What most commands do not need, and where it is: imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name not in _WRITING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WRITING[name]}"), name)
