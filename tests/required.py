"""What a CI has to have and a person may lack.

Read when this module is imported, which is before fixtures hide the caller's environment: a test that asks `CI` itself
finds nothing, and skips in CI what CI has to run.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

IN_CI = bool(os.environ.get("CI"))
OUTSIDE = dict(os.environ)
"""The caller's environment: package managers need its home, proxies and settings."""


def absent(why: str) -> NoReturn:
    """Skip the test, saying why; in CI it fails."""
    if IN_CI:
        pytest.fail(f"{why}; CI must run this test")
    pytest.skip(why)
