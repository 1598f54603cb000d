"""Where a promotion keeps what it remembers, and reading that."""

from __future__ import annotations

from reconciler.deriving.promoting import Promotion
from reconciler.model.documents import read_document
from reconciler.model.errors import ReconcilerError
from reconciler.store.reading import read_regular
from reconciler.workflow.opening.session import Session

FOLDER = "promotions"


def place_of(source: str, target: str) -> str:
    """Return where what is remembered of two environments stands, below the folder of the project."""
    return f"{FOLDER}/{source}-{target}.json"


def remembered(session: Session, source: str, target: str) -> Promotion:
    """Return what the last promotion between two environments remembered. Raises ReconcilerError."""
    path = session.folder / place_of(source, target)
    if not path.exists():
        return Promotion(salt=session.runtime.token())
    try:
        return read_document(Promotion, read_regular(path))
    except (OSError, ValueError) as error:
        raise ReconcilerError(
            f"{path} is not what `promote` wrote",
            hint="take it from your version control, or delete it to begin again",
        ) from error
