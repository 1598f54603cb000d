"""Tags (section 2.12), and what is the same for all classic endpoints: statuses, ids, names."""

from __future__ import annotations

from reconciler.probe import asking
from reconciler.probe.answers import done, missing
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab

LONG = 255
CREATED = Fact("created_status", 1, "creates are answered 201", "201", ("every kind",), changes="any 2xx is taken")
GONE = Fact("gone", 5, "a tag that is not there is answered 404", "404", ("every kind",), changes="told by its text")
REUSED = Fact("id_reuse", 9, "ids of deleted objects do not come back", "no", ("every kind",), "vendor",
              "an id is believed with the name or the date of birth only")  # fmt: skip
CASE = Fact("case.tag", 20, "names that differ by case only are two", "two", ("tag",), "inferred")
TYPE = Fact("tag_type", 43, "a tag without a type is one of contacts", "contact", ("tag",), "nothing")
FILTER = Fact("tag_filter", 46, "tags are filtered by `filters[search][eq]`", "honoured", ("tag",), "vendor",
              "tags are listed and matched here")  # fmt: skip
WRAPPER = Fact("wrong_wrapper", 0, "a PUT under a wrong wrapper is ignored", "ignored", ("every kind",),
               changes="what was written is read back")  # fmt: skip
NAMES = tuple(
    Fact(f"name.{what}", 0, f"a name with {what} comes back as it was sent", "kept", ("every kind",), "inferred",
         "the account stores it in its own way, which is told and remembered")
    for what in (*asking.NAMES, "255 characters", "256 characters")
)  # fmt: skip


async def _tags(lab: Lab) -> Findings:
    created = await lab.make("tag", {"tag": lab.name("Tag"), "tagType": "contact", "description": "kept"})
    yield "created_status", asking.status(created.reply)
    yield "put.tag", await asking.merges(lab, created, {"tag": lab.name("Tag 2")}, "description")
    done(await lab.change(created, {"tags": {"tag": lab.name("Tag 3")}}))
    yield "wrong_wrapper", "ignored" if (await lab.read(created)).get("tag") == lab.name("Tag 2") else "taken"
    yield "empty.tag", await asking.clears(lab, created, "description", "")
    yield "null.tag", await asking.clears(lab, created, "description", None)
    yield "unique.tags", await asking.repeats(lab, "tag", {"tag": lab.name("Tag 2"), "tagType": "contact"})
    yield "case.tag", "two" if await asking.repeats(lab, "tag", {"tag": lab.name("TAG 2")}) == "no" else "one"
    untyped = await lab.make("tag", {"tag": lab.name("untyped")})
    tag_type = str((await lab.read(untyped)).get("tagType"))
    yield "tag_type", tag_type if tag_type in ("contact", "template") else "other"
    rows = done(await lab.ask("/tags", {"filters[search][eq]": lab.name("untyped")})).rows("tags")
    strange = [row for row in rows if row.get("tag") != lab.name("untyped")]
    yield "tag_filter", "honoured" if rows and not strange else "ignored"
    done(await lab.remove(untyped))
    yield "gone", missing(await lab.get(untyped.path))
    again = await lab.make("tag", {"tag": lab.name("again"), "tagType": "contact"})
    yield "id_reuse", "yes" if again.id == untyped.id else "no"


async def _names(lab: Lab) -> Findings:
    created = await lab.make("tag", {"tag": lab.name("names"), "tagType": "contact"})
    for what, end in asking.NAMES.items():
        before = " " if what == "blanks" else ""
        yield f"name.{what}", await asking.returned(lab, created, "tag", f"{before}{lab.mark} {end}")
    for length in (LONG, LONG + 1):
        name = f"{lab.mark} ".ljust(length, "x")
        yield f"name.{length} characters", await asking.returned(lab, created, "tag", name)


EXPERIMENTS = (
    Experiment("tags",
               (CREATED, asking.merging("tag", "tag"), WRAPPER, *asking.clearing("tag", "tag"),
                asking.repeating("tags", "name", "tag"), CASE, TYPE, FILTER, GONE, REUSED), _tags, 32),
    Experiment("odd names", NAMES, _names, 16),
)  # fmt: skip
