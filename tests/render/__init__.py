"""Views of plans, problems and runs: golden files at three sizes, and the properties that each view has to keep."""
