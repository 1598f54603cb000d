"""What tests of a configuration expect, written into their files: only that part of a file changes, to the byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from reconciler.config.writing.emitting import as_block
from reconciler.model.errors import ReconcilerError
from reconciler.model.values import Value

EXPECT = "expect"


def as_yaml(content: Value, pad: str = "") -> str:
    """Return a map as a block of YAML; "{}" for an empty one."""
    return "\n".join(as_block(content, pad)) if content else f"{pad}{{}}"


def with_expectations(text: str, file: str, expectations: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a file of tests in which these tests (by name) expect this; everything else stays as it is. Raises
    ReconcilerError where that cannot be said there.
    """
    for name, content in expectations.items():
        text = _replaced(text, file, name, content)
    return text


def _replaced(text: str, file: str, name: str, content: Mapping[str, Any]) -> str:
    test = _inner(_inner(yaml.compose(text, Loader=yaml.SafeLoader), "tests"), name)
    if test is None or test.flow_style:
        raise ReconcilerError(
            f"{file}: the test `{name}` is written on one line, so nothing can be put into it",
            hint="write it as a block: each member on a line of its own",
        )
    pad = " " * test.start_mark.column
    block = f"{EXPECT}:\n{as_yaml(dict(content), pad + '  ')}"
    for key, value in test.value:
        if key.value == EXPECT:
            changed = text[: key.start_mark.index] + block + text[_end(value) :]
            break
    else:
        end = _end(test)
        changed = f"{text[:end]}\n{pad}{block}{text[end:]}"
    parsed = yaml.safe_load(changed)
    if parsed["tests"][name][EXPECT] != yaml.safe_load(as_yaml(dict(content))):
        raise ReconcilerError(f"{file}: what `{name}` expects cannot be written", hint="write it yourself")
    return changed


def _inner(node: Any, name: str) -> Any:
    """Return the value of a key of a mapping node."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _end(node: Any) -> int:
    """Return where a node ends, without blank lines and comments behind it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)
