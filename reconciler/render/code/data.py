"""Ids as JSON, for programs that read them themselves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reconciler.model.ids import IdCatalog, Section
from reconciler.render.code.lines import head
from reconciler.render.harmless import outgoing


def render(catalog: IdCatalog, _: str) -> str:
    """Return the document: accounts by environment, and in each the sections of the configuration."""
    content = {
        "generated": head(catalog, "json")[0],
        "ids": catalog.digest,
        "format_version": "1.0",
        "accounts": {name: _sections(catalog.sections, name) for name in catalog.environments},
    }
    return outgoing(json.dumps(content, indent=2, ensure_ascii=False), "json") + "\n"


def _sections(sections: Sequence[Section], environment: str) -> dict[str, Any]:
    return {
        section.name: {
            entry.key: {**entry.values[environment], **_sections(entry.sections, environment)}
            for entry in section.entries
            if environment in entry.values
        }
        for section in sections
    }
