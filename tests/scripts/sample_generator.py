"""A generator for the tests of `scripts.check_generated`: writes one file into the folder that it is given."""

import sys
from pathlib import Path

if __name__ == "__main__":
    Path(sys.argv[1], "a.txt").write_text("new", encoding="utf-8")
