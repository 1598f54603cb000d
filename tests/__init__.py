"""Tests: offline, in parallel, in random order; each test states a behaviour in its docstring."""

import pytest

# Modules beside the tests that assert for them: their assertions say what differs, too.
pytest.register_assert_rewrite("tests.world", "tests.conformance")
