"""Tests of the experiments, of what they leave, and of what rests on what they found."""
