"""Programs for people who work on the project: checks, generated files, benchmarks. Not part of the product."""
