"""Fields of deals and accounts (sections 2.5, 2.6)."""

from __future__ import annotations

from reconciler.model.grammar import a
from reconciler.probe import asking
from reconciler.probe.answers import refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.unsettled import Unsettled


def _facts(form: str) -> tuple[Fact, ...]:
    what = form.replace("_", " ")
    return (
        asking.merging(form, form),
        asking.repeating(f"{form}_labels", "label", form),
        Fact(f"type.{form}", 0, f"PUT does not change the type of {a(what)}", "keeps", (form,), "vendor"),
        Fact(f"choices.{form}", 0, f"choices that are sent replace those of {a(what)}", "replace", (form,), "vendor",
             "choices that should stay have to be sent along, and are"),
    )  # fmt: skip


async def _one(lab: Lab, form: str) -> Findings:
    attrs = {"fieldLabel": lab.name("choice"), "fieldType": "dropdown", "fieldOptions": ["a", "b"]}
    created = await lab.make(form, attrs)
    sent = {"fieldLabel": lab.name("choice 2")}
    yield f"put.{form}", await asking.merges(lab, created, sent, "fieldOptions")
    reply = await lab.put(created, **sent, fieldOptions=["c"])
    if reply.ok:
        now = (await lab.read(created)).get("fieldOptions")
        yield f"choices.{form}", "replace" if now == ["c"] else "keep"
    else:
        yield f"choices.{form}", Unsettled(f"a PUT of choices was answered {reply.status}")
    reply = await lab.put(created, **sent, fieldType="text")
    changes = not refuses(reply) and (await lab.read(created)).get("fieldType") == "text"
    yield f"type.{form}", "changes" if changes else "keeps"
    yield f"unique.{form}_labels", await asking.repeats(lab, form, {**attrs, **sent})


async def _deals(lab: Lab) -> Findings:
    async for finding in _one(lab, "deal_field"):
        yield finding


async def _accounts(lab: Lab) -> Findings:
    async for finding in _one(lab, "account_field"):
        yield finding


EXPERIMENTS = (
    Experiment("deal fields", _facts("deal_field"), _deals, 12),
    Experiment("account fields", _facts("account_field"), _accounts, 12),
)
