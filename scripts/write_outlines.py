"""Write what every command asks of all kinds, as the kinds say it: those that are not in use need not be loaded then.

Usage: `python -m scripts.write_outlines FOLDER`. `make generate` runs it for `reconciler/resources/outlines`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.model.catalog import Outline
from reconciler.resources import modules, outlined

HEAD = '''"""What every command asks of all kinds, in their order. Generated: it follows from the files beside this
folder; `make generate` brings it here, and `make generated` tells when it is old.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.catalog import Outline

'''


def text(names: Iterable[str], known: Mapping[str, Outline]) -> str:
    """Return the module, for the modules of these names and what is known of the kinds."""
    return HEAD + "\n".join([*_modules(names), "", *_outlines(known), ""])


def _modules(names: Iterable[str]) -> Iterator[str]:
    yield from ("MODULES = frozenset(", "    {")
    yield from (f"        {_written(name)}," for name in sorted(names))
    yield from ("    }", ")")
    yield '"""The modules that were looked through for kinds."""'


def _outlines(known: Mapping[str, Outline]) -> Iterator[str]:
    yield "OUTLINES: Mapping[str, Outline] = {"
    for name, outline in known.items():
        yield f"    {_written(name)}: Outline("
        yield from (f"        {member}={_written(value)}," for member, value in outline._asdict().items() if value)
        yield "    ),"
    yield "}"
    yield '"""What is asked of each."""'


def _written(value: str | tuple[object, ...]) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    inner = [_written(item) if isinstance(item, str | tuple) else repr(item) for item in value]
    return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"


if __name__ == "__main__":
    (Path(sys.argv[1]) / "__init__.py").write_text(text(modules(), outlined()), encoding="utf-8")
