"""Write what views call kinds and guards, as the kinds and the table of guards say it: views know neither of them.

Usage: `python -m scripts.write_terms FOLDER`. `make generate` runs it for `reconciler/render/terms`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.judging.guards import GUARDS, Guard
from reconciler.model.kind import Kind
from reconciler.resources import load_kinds

HEAD = '''"""What views call kinds and guards. Generated: a kind says it in its `texts`, a guard in the table of guards;
`make generate` brings it here, and `make generated` tells when it is old.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.called import KindWords

'''


def text(kinds: Mapping[str, Kind], guards: Iterable[Guard]) -> str:
    """Return the module."""
    return HEAD + "\n".join([*_screens(kinds), "", *_titles(guards), "", *_reasons(guards), ""])


def _screens(kinds: Mapping[str, Kind]) -> Iterator[str]:
    yield "SCREENS: Mapping[str, KindWords] = {"
    for name, kind in sorted(kinds.items(), key=lambda item: (item[1].texts.place, item[0])):
        singular = kind.texts.one or name.replace("_", " ")
        yield f"    {_quoted(name)}: KindWords("
        yield from (
            f"        {_quoted(text)}," for text in (singular, kind.texts.many or f"{singular}s", kind.texts.gone)
        )
        yield "    ),"
    yield "}"
    yield '"""Every kind, in the order in which a report speaks of them."""'


def _titles(guards: Iterable[Guard]) -> Iterator[str]:
    yield "GUARD_TITLES: Mapping[str, str] = {"
    yield from (f"    {_quoted(guard.name)}: {_quoted(guard.title)}," for guard in guards if guard.title)
    yield "}"
    yield '"""What each guard is about."""'


def _reasons(guards: Iterable[Guard]) -> Iterator[str]:
    yield "REASONS: Mapping[str, str] = {"
    yield from (f"    {_quoted(guard.name)}: {_quoted(guard.why)}," for guard in guards if guard.why)
    yield "}"
    yield '"""What is said of guards whose messages speak of the files in their own words."""'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    (Path(sys.argv[1]) / "__init__.py").write_text(text(load_kinds(), GUARDS), encoding="utf-8")
