"""What an account holds and the state says of it: under the lock, read the cheapest way."""
