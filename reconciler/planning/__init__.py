"""Desired, state and snapshot in, a plan out; pure, and the only home of deepdiff."""
