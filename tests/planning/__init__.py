"""Tests of the planner: pure inputs, pure outputs."""
