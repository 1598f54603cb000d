"""Every kind against the emulated account, attribute by attribute. `cases/` has one file per kind."""
