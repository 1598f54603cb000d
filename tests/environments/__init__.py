"""Moving configuration between accounts, and trying it out before."""
