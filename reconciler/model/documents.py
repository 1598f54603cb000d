"""Reading the program's own JSON files: whatever stands in them is a document or a ValueError."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

MOST = 2**53
"""Beyond it a number is none that this program counted to, and none that every reader of JSON keeps."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Model = TypeVar("Model", bound=BaseModel)


_GIVEN: set[str] = set()


class Lean(BaseModel):
    """A part of a document, of which there may be many thousand: which members were given and which are the default is
    not remembered of each. It would be half of what they take, and nobody asks.
    """

    model_config = ConfigDict(defer_build=True)

    def model_post_init(self, context: Any, /) -> None:
        """Let all parts share one set of given members."""
        object.__setattr__(self, "__pydantic_fields_set__", _GIVEN)


def read_json(content: bytes | str) -> Any:
    """Return the document. Raises ValueError for what is none: truncated, nested without end, with numbers that are
    none or halves of characters, or with a member twice, of which only one would count.
    """
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    try:
        parsed = json.loads(
            text, parse_constant=_none, parse_int=_whole, parse_float=_finite, object_pairs_hook=_each_once
        )
    except RecursionError as error:
        raise ValueError("it is nested without end") from error
    if "\\ud" in text or "\\uD" in text:
        json.dumps(parsed, ensure_ascii=False).encode()  # halves of pairs have no bytes: a ValueError
    return parsed


def read_document(model: type[Model], content: bytes | str, fits: Any = None) -> Model:
    """Return the document of this model. A value of another type is none that becomes one: `true` is not a number, and
    "1" neither. `fits` are the grammars and types of the kinds. Raises ValueError, also that of pydantic.
    """
    read_json(content)
    return as_document(model, content, fits)


def as_document(model: type[Model], content: bytes | str, fits: Any = None) -> Model:
    """Return the document of this model, as `read_document`, of a content that `read_json` has read."""
    return model.model_validate_json(content, strict=True, context={"fits": fits})


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) < len(members):
        raise ValueError("a member stands there twice")
    return unique


def _none(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _whole(digits: str) -> int:
    if len(digits) > 19:
        raise ValueError("a number has more digits than any that is written here")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _none("a number without end")
