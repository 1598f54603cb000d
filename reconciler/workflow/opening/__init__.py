"""What a verb begins with: a project, an environment with its account, secrets and facts, and a session."""
