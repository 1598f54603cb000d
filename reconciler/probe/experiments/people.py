"""User groups (section 2.18). Users are never made: each would be sent a mail."""

from __future__ import annotations

from reconciler.probe import asking
from reconciler.probe.answers import missing
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab

FLAGS = Fact("group_flags", 34, "some flags of a new user group are on", "recorded", ("user_group",),
             changes="only flags that are declared are managed")  # fmt: skip
MISSING = Fact("not_found", 5, "a user group that is not there is answered 404", "recorded", ("list", "user_group"),
               changes="told by the text of the answer")  # fmt: skip


async def _groups(lab: Lab) -> Findings:
    created = await lab.make("user_group", {"title": lab.name("group"), "descript": "kept"})
    row = await lab.read(created)
    on = [name for name, value in row.items() if name.startswith("pg") and str(value) in ("1", "True")]
    yield "group_flags", "recorded" if on else "documented"
    yield "put.user_group", await asking.merges(lab, created, {"title": lab.name("group 2")}, "descript")
    yield "empty.user_group", await asking.clears(lab, created, "descript", "")
    yield "unique.groups", await asking.repeats(lab, "user_group", {"title": lab.name("group 2")})
    first = await lab.remove(created)
    if first.ok:
        status = missing(await lab.get(created.path))
        yield "not_found", {"404": "recorded", "403": "documented"}.get(status, status)


EXPERIMENTS = (
    Experiment("user groups",
               (FLAGS, asking.merging("user_group", "user_group"), asking.clearing("user_group", "user_group")[0],
                asking.repeating("groups", "title", "user_group"), MISSING), _groups, 14),
)  # fmt: skip
