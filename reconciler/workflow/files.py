"""Files onto the disk: changed configuration never over somebody else's edit, documents never over other files."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path

from reconciler.model.errors import ReconcilerError
from reconciler.store.atomic import write_file


def write_files(folder: Path, texts: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, ...]:
    """Write files whole, each by one rename; `before` holds the texts that they were made from.

    Raises ReconcilerError where a file is another one by now; then nothing was written.
    """
    contents: dict[Path, bytes] = {}
    for name, text in sorted(texts.items()):
        path = folder / name
        old = path.read_bytes() if path.exists() else b""
        mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        if old.removeprefix(mark).decode("utf-8") != before.get(name, ""):
            raise ReconcilerError(f"{path} was changed while this ran; nothing was written", hint="run it again")
        contents[path] = mark + text.removeprefix("\ufeff").encode("utf-8")
    for path, content in contents.items():
        write_file(path, content)
    return tuple(sorted(texts))
