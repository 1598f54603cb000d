"""The emulator as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(folder: Path, *options: str) -> Iterator[str]:
    """Run `reconciler emulator serve` on a free port and give its URL."""
    command = [sys.executable, "-m", "reconciler", "--chdir", str(folder), "emulator", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"http://[\d.:]+", line)
            assert found, line
            yield found.group()
        finally:
            process.terminate()
