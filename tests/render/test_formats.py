"""The table of output formats."""

from __future__ import annotations

import pytest

from reconciler.model.diagnostics import Diagnostic
from reconciler.render.formats import FORMATS, ViewContext, names_of, plan_in, problems_in
from tests.render.documents import one as sample


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_what_it_says(name: str) -> None:
    """And nothing else: what has no renderer is in no list of a command."""
    one = FORMATS[name]
    assert bool(one.shows & {"plan", "drift", "comparison"}) == (one.plan is not None)
    assert ("problems" in one.shows) == (one.problems is not None)
    if one.plan is not None:
        assert plan_in(name, sample(), ViewContext()) is not None
    if one.problems is not None:
        assert "it is wrong" in problems_in(name, [Diagnostic("it is wrong")], ViewContext())
    else:
        with pytest.raises(KeyError):
            problems_in(name, [], ViewContext())


def test_text_comes_first() -> None:
    """What is printed where nothing is asked for."""
    assert [names_of(subject)[0] for subject in ("plan", "drift", "comparison", "problems")] == ["text"] * 4
