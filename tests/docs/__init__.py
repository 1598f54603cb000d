"""The documentation is run: its commands print what its pages show."""
