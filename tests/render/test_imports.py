"""What importing the views costs."""

from __future__ import annotations

import subprocess
import sys

from reconciler import render

VIEWS = ("text", "machine", "markdown", "html", "progress", "tables")


def test_importing_views_does_not_import_what_draws() -> None:
    """Rich and jinja2 are imported only when something is drawn with them: they would eat the start-up budget."""
    names = ", ".join(f"{render.__name__}.{view}" for view in VIEWS)
    program = f"import {names}, sys; print('rich' in sys.modules, 'jinja2' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout == "False False\n"


def test_the_client_does_not_import_the_command_line_of_httpx() -> None:
    """Httpx imports its own with rich and pygments where they are installed: a quarter of the CPU time of a plan."""
    program = "import reconciler.remote.client, sys; print('rich' in sys.modules, 'httpx._main' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout == "False False\n"
