"""Tests of the HTTP client against a scripted server in the same process."""
