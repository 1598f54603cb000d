"""The check of the share of `Any`."""

from __future__ import annotations

from scripts.check_any import Counted, counted, problems, share

REPORT = """\
                        Name   Anys   Exprs   Coverage
------------------------------------------------------
              reconciler.cli      0      10    100.00%
         reconciler.cli.plan      1      90     98.89%
      reconciler.model.value      0     900    100.00%
------------------------------------------------------
                       Total      1    1000     99.90%
"""


def test_a_report_is_read_by_module() -> None:
    """The total is none of them."""
    modules = counted(REPORT)
    assert modules["reconciler.cli.plan"] == Counted(1, 90)
    assert len(modules) == 3
    assert share(modules, "reconciler.cli") == 0.01
    assert share(modules, "reconciler") == 0.001
    assert not problems(modules)


def test_a_share_past_its_ceiling_names_the_modules() -> None:
    """Those with most of it come first."""
    modules = counted(REPORT) | {"reconciler.cli.apply": Counted(5, 50)}
    (line,) = problems(modules)
    assert "reconciler.cli: 4.00% of the expressions are `Any`, at most 2%" in line
    assert line.index("reconciler.cli.apply (5)") < line.index("reconciler.cli.plan (1)")


def test_a_report_without_modules_is_no_success() -> None:
    """Nothing to count means that mypy did not look."""
    assert len(problems(counted(""))) == 2
