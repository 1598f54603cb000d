"""Random configurations, faults and crashes against the emulator: does the account end as it was declared?"""
