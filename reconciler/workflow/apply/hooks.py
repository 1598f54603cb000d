"""What the verbs that write tell and ask their caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import field

from reconciler.model.events import Event
from reconciler.model.records import mutable


@mutable
class Hooks:
    """What an apply tells and asks its caller: events to show, a stop signal to obey."""

    emit: Callable[[Event], None] = lambda event: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
