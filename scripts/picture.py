"""Take the picture of the report that the front page of the documentation shows, and tell whether it is stale.

Usage: `python -m scripts.picture [--write]`. The report is that of the plan on `docs/index.md`. The picture holds the
digest of the page that it was taken of, without what differs from run to run; taking it needs Chromium, checking none.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from reconciler import __version__
from scripts.run_docs import BLOCK, FORMS, ROOT, TITLE, Session

PAGE, PICTURE = ROOT / "docs" / "index.md", ROOT / "docs" / "report.png"
NAME = b"report"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIZE = (900, 760)
SECONDS = 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def report(folder: Path) -> Path:
    """Do in an empty folder what the front page does, and return the report of its plan."""
    session = Session(folder)
    for match in BLOCK.finditer(PAGE.read_text("utf-8")):
        if match["word"] == "start":
            session.start(ROOT / match["rest"].strip())
        elif match["word"] == "setup":
            session.run(match["rest"])
        elif title := TITLE.search(match["info"] or ""):
            session.write(title[1], match["body"])
        elif match["info"] == "console":
            break
    printed = session.run("reconciler plan --format html=report.html")
    if not (session.folder / "report.html").is_file():
        raise SystemExit(f"the plan of {PAGE.name} makes no report: {printed}")
    return session.folder / "report.html"


def digest(html: str) -> str:
    """Return the digest of a report, whenever it was made and by whatever version."""
    for form, stands_for in FORMS:
        html = form.sub(stands_for, html)
    html = re.sub(r"\b[0-9a-f]{8,}\b", "HEX", html.replace(__version__, "VERSION"))
    return hashlib.sha256(html.encode()).hexdigest()


def chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG file: their types, and what they hold. Raises ValueError for another file."""
    if not picture.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    parts, at = [], len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        parts.append((picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]))
        at += length + 12
    return parts


def marked(picture: bytes, mark: str) -> bytes:
    """Return a PNG file with a text in it, behind its header."""
    first, *rest = chunks(picture)
    kept = [chunk for chunk in rest if chunk[0] != b"tEXt"]
    whole = [first, (b"tEXt", NAME + b"\0" + mark.encode()), *kept]
    parts = (
        struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held)) for kind, held in whole
    )
    return SIGNATURE + b"".join(parts)


def mark_of(picture: bytes) -> str:
    """Return the text that `marked` put into a PNG file, "" where there is none."""
    texts = [held.partition(b"\0") for kind, held in chunks(picture) if kind == b"tEXt"]
    return next((text.decode() for name, _, text in texts if name == NAME), "")


def take(html: Path) -> bytes:
    """Return the picture of a page. Raises SystemExit where no Chromium is."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("no Chromium is installed, which takes the picture")
    picture = html.with_suffix(".png")
    with tempfile.TemporaryDirectory(prefix="picture-") as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        command += ["--disable-background-networking", "--force-color-profile=srgb", f"--user-data-dir={profile}"]
        command += [f"--window-size={SIZE[0]},{SIZE[1]}", f"--screenshot={picture}", html.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    return picture.read_bytes()


def main() -> int:
    """Check the picture, or take it again; 0 where it shows what the program makes today."""
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        html = report(Path(folder))
        mark = digest(html.read_text("utf-8"))
        if "--write" in sys.argv:
            PICTURE.write_bytes(marked(take(html), mark))
    if mark_of(PICTURE.read_bytes()) == mark:
        return 0
    print(f"{PICTURE.relative_to(ROOT)} shows an older report; run: python -m scripts.picture --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
