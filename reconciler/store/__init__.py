"""State backends behind one protocol: read, write under a lock, journal."""
