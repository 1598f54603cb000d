"""The rate limit, measured by a burst of reads; only where that is asked for. Writes nothing."""

from __future__ import annotations

import asyncio

from reconciler.probe.answers import unsettled
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.unsettled import Unsettled

READS = 30
LIMIT = Fact("rate_limit", 30, "5 requests are taken in a second", "5", ("every command",), "vendor",
             "set `requests_per_second` to what the account takes")  # fmt: skip
STATUS = Fact("limit_status", 54, "beyond the rate limit the answer is 429", "429", ("every command",), "vendor",
              "a create that is answered 503 may have been done, and is looked for")  # fmt: skip
HEADER = Fact("retry_after", 30, "a refusal says how long to wait", "yes", ("every command",), "vendor",
              "waits are guessed, and grow")  # fmt: skip


async def _burst(lab: Lab) -> Findings:
    """All at once, then a rest: what shares the account waits a second longer."""
    lab.afford(READS)
    await lab.sleep(1.5)
    answers = await asyncio.gather(*(lab.once("/users/me", paced=False) for _ in range(READS)))
    await lab.sleep(3.0)
    refused = [reply for reply in answers if reply.status in (429, 503)]
    if strange := [reply for reply in answers if not reply.ok and reply not in refused]:
        raise unsettled(strange[0])
    if not refused:
        raise Unsettled(f"{READS} requests at once were all answered")
    yield "rate_limit", str(READS - len(refused))
    yield "limit_status", str(refused[0].status)
    yield "retry_after", "yes" if "retry-after" in refused[0].headers else "no"


EXPERIMENTS = (Experiment("a burst of reads", (LIMIT, STATUS, HEADER), _burst, READS, writes=False, needs="burst"),)
