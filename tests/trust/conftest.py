"""A small world for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, new_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A project and the emulated account that it is about."""
    with new_world(tmp_path / "project") as made:
        yield made
