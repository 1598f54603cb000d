"""The projects in examples/ work."""
