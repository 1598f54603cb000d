"""State backends, locks, journals, runs and what survives a crash."""
