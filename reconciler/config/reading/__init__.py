"""YAML into what is declared: parsing, variables, checks, with the position of every value."""
