"""The command line as users meet it: whole stories in text files, see `test_stories`."""
