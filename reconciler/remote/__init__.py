"""The HTTP client of an account: pacing, retries, guards; the only home of httpx."""

import sys
from importlib.util import find_spec

if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    # httpcore looks for it with every request, which takes a fifth of the time of one; `None` is an answer.
    sys.modules["sniffio"] = None  # type: ignore[assignment]
if "httpx" not in sys.modules:
    # httpx loads a command line of its own, with rich and pygments, wherever they are installed: a quarter of a plan.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    import httpx  # noqa: F401

    del sys.modules["httpx._main"]
