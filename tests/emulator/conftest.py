"""Fixtures of the emulator's tests."""

from __future__ import annotations

import pytest

from tests.emulator.calling import Api


@pytest.fixture
def api() -> Api:
    """A fresh account in memory."""
    return Api()
