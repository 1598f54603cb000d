"""The handbook of an account: what is in it, and its pages in a browser."""
