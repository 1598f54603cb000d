"""One function per verb: what each command does, without a terminal. The parts in the middle meet only here."""
