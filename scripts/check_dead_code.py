"""Report functions, methods, classes and imports that nothing in the product, its tests or scripts mentions.

Usage: `python -m scripts.check_dead_code`. Finds by name only (vulture): parameters and variables are left to ruff and
mypy, because protocols and pydantic models are full of names that only others read.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("reconciler", "tests", "scripts")
KINDS_OF_CODE = frozenset({"class", "function", "import", "method", "property", "unreachable_code"})
# Called by a framework through its decorator.
CALLED_ELSEWHERE = [
    "@*command*",
    "@*group*",
    "@*validator*",
    "@*serializer*",
    "@*fixture*",
    "@*route*",
    "@rule*",
    "@invariant*",
]
# Called by Python and its library, pytest, hypothesis or asyncio through its name.
KNOWN_NAMES = ["__*__", "pytest_*", "visit_*", "teardown", "setup_method", "log_message", "handle_error"]
# Called by click on its groups.
KNOWN_NAMES += ["list_commands", "get_command", "format_commands", "resolve_command"]
# Called by click on types of parameters.
KNOWN_NAMES += ["get_metavar", "convert", "shell_complete"]
# Called by click on the ways in which shells complete.
KNOWN_NAMES += ["format_completion"]
# Called by http.server on its handlers.
KNOWN_NAMES += ["do_GET", "do_POST", "log_message", "handle_error"]
# Called by asyncio on its protocols.
KNOWN_NAMES += ["connection_made", "data_received"]
# Called by pydantic on its models.
KNOWN_NAMES += ["model_post_init"]
# Called by html.parser on its parsers.
KNOWN_NAMES += ["handle_starttag", "handle_endtag", "handle_data"]
# Called by io on the streams below a stream.
KNOWN_NAMES += ["fileno"]
# Called by rich on its consoles.
KNOWN_NAMES += ["show_cursor"]
# Called by asyncio on its loops.
KNOWN_NAMES += ["_process_events", "_write_to_self"]


def dead_code(root: Path) -> list[str]:
    """Return `file:line: unused what 'name'` for everything below the root's folders that nothing mentions."""
    vulture = Vulture(ignore_names=KNOWN_NAMES, ignore_decorators=CALLED_ELSEWHERE)
    vulture.scavenge([str(root / folder) for folder in FOLDERS])
    unused = [item for item in vulture.get_unused_code() if item.typ in KINDS_OF_CODE]
    return [f"{Path(item.filename).relative_to(root)}:{item.first_lineno}: {item.message}" for item in unused]


def main() -> int:
    """Check the clone; 0 when nothing was found."""
    problems = dead_code(ROOT)
    print("\n".join(problems) or "no dead code")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
