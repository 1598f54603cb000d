"""Tests of `reconciler.config`: cases as files, round trips, projects, schemas."""
