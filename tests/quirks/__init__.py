"""Answers of the account that are documented or recorded and that our own emulator does not give."""
