"""A plan that can be trusted: exact, safe, explained."""
