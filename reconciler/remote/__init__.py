"""The HTTP client of an account: pacing, retries, guards; the only home of httpx."""

import sys

if "httpx" not in sys.modules:
    # httpx loads a command line of its own, with rich and pygments, wherever they are installed: a quarter of a plan.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    import httpx  # noqa: F401

    del sys.modules["httpx._main"]
