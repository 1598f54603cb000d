"""The verbs `doctor` and `state doctor`: what is wrong with an environment, an account or a state."""
