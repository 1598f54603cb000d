"""YAML in, Desired out, with the position of every value; the only home of yaml."""

from reconciler.config.credentials import credentials
from reconciler.config.doubts import doubts
from reconciler.config.dumping import content_of, dump
from reconciler.config.formatting import formatted
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
