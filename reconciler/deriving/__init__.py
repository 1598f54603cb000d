"""One configuration from another, or from an account: export, clone, promote, undo, coverage. Pure, as planning is."""
