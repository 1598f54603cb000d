"""The kinds, one by one, against the emulated account, and what all of them have in common."""
