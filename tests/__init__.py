"""Tests: offline, in parallel, in random order; each test states a behaviour in its docstring."""
