"""Tests of configurations: that they tell what a configuration does, and fail when it does something else."""
