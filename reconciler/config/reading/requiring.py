"""Which versions of this program a project asks for: `required_version` in its project file."""

from __future__ import annotations

import shlex

from reconciler import __version__
from reconciler.config.reading.nodes import Map, Scalar
from reconciler.config.reading.problems import Problems

REQUIRED = "required_version"
DISTRIBUTION = "activecampaign-reconciler"
_FORM = 'write a version specifier (PEP 440) in quotes, e.g. `required_version: ">=0.2,<0.3"`'


def fits(tree: Map, problems: Problems, version: str = __version__) -> bool:
    """Return whether the project may be used by this version; if not, `problems` tells why.

    Anything else about the file is judged afterwards: another version may know more, or mean something else by it.
    """
    entry = tree.entries.get(REQUIRED)
    if entry is None:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    node = entry.value
    text = node.value if isinstance(node, Scalar) else None
    if not isinstance(text, str) or not text.strip():
        message = f"`{REQUIRED}` is not a text with a version specifier"
        problems.error("bad-required-version", message, entry.spot, _FORM)
        return False
    try:
        wanted = SpecifierSet(text)
    except InvalidSpecifier:
        problems.error("bad-required-version", f"`{text}` is not a version specifier", entry.spot, _FORM)
        return False
    if wanted.contains(version, prereleases=True):
        return True
    problems.error(
        "required-version",
        f"this project asks for version {text.strip()} of the program, and this is {version}",
        entry.spot,
        f"pip install {shlex.quote(DISTRIBUTION + str(wanted))}; docs/upgrading.md says what changes between versions",
    )
    return False
