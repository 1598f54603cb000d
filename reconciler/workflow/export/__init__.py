"""The verb `export`, and what it consists of."""
