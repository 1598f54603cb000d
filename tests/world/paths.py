"""What a client of a test may write to: what the kinds say that they write."""

from reconciler.resources import load_kinds

WRITABLE = tuple(path for kind in load_kinds().values() for path in kind.writable)
