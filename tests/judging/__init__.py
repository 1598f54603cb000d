"""Tests of what judges: pure inputs, verdicts out."""
