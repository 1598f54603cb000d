"""YAML in, Desired out, with the position of every value; the only home of yaml."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from reconciler.config.reading.credentials import credentials
from reconciler.config.reading.doubts import doubts
from reconciler.config.reading.files import outside
from reconciler.config.reading.interpolation import Uses
from reconciler.config.reading.loading import Loaded, load, load_texts, plain_data, project_files
from reconciler.config.reading.project import (
    EnvironmentSettings,
    LoadedProject,
    account_at,
    account_named,
    differing,
    disagreeing,
    environment,
    held_to,
    load_project,
    parse_project,
    production_by,
    recipients_of,
    say_production,
    without_address,
)

if TYPE_CHECKING:
    from reconciler.config.reading.scenarios import FoundScenario, read_scenarios
    from reconciler.config.schema import config_schema, project_schema
    from reconciler.config.writing.dumping import content_of, dump
    from reconciler.config.writing.formatting import formatted
    from reconciler.config.writing.scenarios import as_yaml, with_expectations

__all__ = [
    "EnvironmentSettings",
    "FoundScenario",
    "Loaded",
    "LoadedProject",
    "Uses",
    "account_at",
    "account_named",
    "as_yaml",
    "config_schema",
    "content_of",
    "credentials",
    "differing",
    "disagreeing",
    "doubts",
    "dump",
    "environment",
    "formatted",
    "held_to",
    "load",
    "load_project",
    "load_texts",
    "outside",
    "parse_project",
    "plain_data",
    "production_by",
    "project_files",
    "project_schema",
    "read_scenarios",
    "recipients_of",
    "say_production",
    "with_expectations",
    "without_address",
]

_SELDOM = {
    "FoundScenario": "reading.scenarios",
    "read_scenarios": "reading.scenarios",
    "content_of": "writing.dumping",
    "dump": "writing.dumping",
    "formatted": "writing.formatting",
    "as_yaml": "writing.scenarios",
    "with_expectations": "writing.scenarios",
    "config_schema": "schema",
    "project_schema": "schema",
}
"""What most commands do not need, and where it is: imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name not in _SELDOM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_SELDOM[name]}"), name)
