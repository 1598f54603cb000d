"""The verb `probe`, and what it consists of."""
