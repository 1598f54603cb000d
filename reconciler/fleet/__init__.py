"""Many accounts that share baselines: who they are, what is done to each, and in which order. The home of `dbos`."""
