"""The verb `promote`, and what it consists of."""
