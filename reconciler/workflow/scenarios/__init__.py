"""The verb `test`, and the account of its own that each test of a configuration has."""
