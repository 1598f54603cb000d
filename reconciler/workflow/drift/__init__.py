"""The verbs `drift absorb` and `drift --revert`."""
