"""Templates: looked up by name. API: /templates (section 2.24), which has neither create nor update."""

from __future__ import annotations

from pydantic import Field

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts


class Template(Spec):
    """A design for mails."""

    name: str = Field(description="Name of the template.")


class TemplateKind(Kind):
    """Payloads are heavy: read only where something refers to a template."""

    name = "template"
    section = "templates"
    spec = Template
    title = "Template"
    path = "/templates"
    reading = Reading((Collection("/templates", "templates"),))
    identity = Identity(name_attribute="name")
    abilities = Abilities(managed=False)
    texts = Texts(
        one="email template",
        gone="No mail can be started from it any more.",
        place=270,
    )


KIND = TemplateKind()
