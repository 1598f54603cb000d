"""The verb `apply`, and what belongs to it: archives, records of runs, read-back, what a run left."""
