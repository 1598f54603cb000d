"""The vocabulary every other part speaks: addresses, values, kinds, plans, state. No IO, no clock, no third-party
client.
"""
