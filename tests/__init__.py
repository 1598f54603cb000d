"""Tests: offline, in parallel, in random order; each test states a behaviour in its docstring."""

import sys

import pytest

# Every worker imports every test: what one has compiled, the others take, also where an environment says otherwise.
sys.dont_write_bytecode = False
# Modules beside the tests that assert for them: their assertions say what differs, too.
pytest.register_assert_rewrite("tests.world", "tests.conformance")
