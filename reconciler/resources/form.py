"""Forms: looked up by name. API: /forms (section 2.32), whose writes have no documented body (row 40 of section 7)."""

from __future__ import annotations

from pydantic import Field

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts


class Form(Spec):
    """A form that people fill in."""

    name: str = Field(description="Name of the form.")


class FormKind(Kind):
    """Made and changed in the product only."""

    name = "form"
    section = "forms"
    spec = Form
    title = "Form"
    path = "/forms"
    reading = Reading((Collection("/forms", "forms"),))
    identity = Identity(name_attribute="name")
    abilities = Abilities(managed=False)
    texts = Texts(
        gone="It cannot be filled in any more.",
        place=280,
    )


KIND = FormKind()
