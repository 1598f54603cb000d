"""A deterministic simulation of the program: see README.md in this folder."""
