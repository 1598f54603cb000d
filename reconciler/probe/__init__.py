"""Small experiments on an account, each beside the fact that it tests: what is assumed of the vendor's API, and what
this account does. Knows the model and nothing else; sends requests through a line that it is given.

Row numbers are those of section 7 of the project's notes on the API; 0 is a fact beside that table.
"""

from reconciler.probe.fact import Experiment, Fact, load_experiments
from reconciler.probe.forms import FORMS, ProbeForm
from reconciler.probe.lab import Lab
from reconciler.probe.means import ProbeBudget, Requester
from reconciler.probe.points import POINTS, Point
from reconciler.probe.unsettled import Unsettled
from reconciler.probe.vocabulary import takes, words

__all__ = [
    "FORMS",
    "POINTS",
    "Experiment",
    "Fact",
    "Lab",
    "Point",
    "ProbeBudget",
    "ProbeForm",
    "Requester",
    "Unsettled",
    "load_experiments",
    "takes",
    "words",
]
