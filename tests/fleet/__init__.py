"""Many accounts: the file, the order of a rollout, what is done to each account, and what survives a death."""

COMMANDS = ("apply", "approve", "cancel", "drift", "plan", "report", "resume", "status", "validate", "worker")
"""The commands below `fleet`, which know accounts of their own: no environment of a project."""
