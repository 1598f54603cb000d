"""Refresh, walk and apply as coroutines that talk to ports and to nothing else."""
