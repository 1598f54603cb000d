"""YAML in, Desired out, with the position of every value; the only home of yaml."""
