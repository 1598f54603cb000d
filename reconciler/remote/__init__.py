"""The HTTP client of an account: pacing, retries, guards; the only home of httpx."""
