"""Pipelines on code hosts: commands against loopback servers, and the files that hosts read."""
