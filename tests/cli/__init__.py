"""The command line beside its stories: what holds for all commands."""
