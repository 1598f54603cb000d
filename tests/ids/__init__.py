"""Ids of accounts as code: that it compiles, says what the account says, and fails where a key has gone."""
