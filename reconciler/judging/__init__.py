"""What judges a plan, a configuration or an account: guards, rules, policies. Pure; planning does not know it."""
