"""The account itself: whose key it is, what a wrong one is answered, how reads fail, what headers say. Reads only."""

from __future__ import annotations

from reconciler.model.http import at, is_id
from reconciler.probe.answers import FORBIDDEN, done, unsettled
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.unsettled import Unsettled

READS = 12
ADMIN_GROUP = "3"
"""The user group of Admin users (section 2.18)."""
WRONG = "zz-probe-no-token"
BAD_TOKEN = Fact("bad_token_status", 4, "a wrong token is answered 403", "403", ("every command",), "vendor")
ADMIN = Fact("admin", 0, "the key is of an Admin user, who may read /settings/account", "yes", ("every kind",),
             "vendor",
             "listings may leave out what its user may not see, and some writes are refused")  # fmt: skip
EYES = Fact("user_group", 0, "the account says the user group of the key's user", "said", ("every kind",), "vendor",
            "whether anything may be hidden from the key is not known")  # fmt: skip
FLAKY = Fact("flaky_reads", 0, "reads are not refused now and then", "0", ("every command",), "client",
             "a 403 on a read is believed the third time")  # fmt: skip
REQUEST_ID = Fact("request_id", 31, "answers have an X-Request-Id", "present", ("every command",))
HEADERS = Fact("rate_limit_header", 30, "answers say a limit of 5 in a second", "5", ("every command",), "vendor",
               "set `requests_per_second` to what the account takes")  # fmt: skip


async def _token(lab: Lab) -> Findings:
    reply = await lab.once("/users/me", token=WRONG)
    if not reply.ok and reply.status not in (401, 403):
        raise unsettled(reply)
    yield "bad_token_status", str(reply.status)


async def _eyes(lab: Lab) -> Findings:
    me = done(await lab.get("/users/me")).row("user").get("id")
    if not is_id(me):
        raise Unsettled("GET /users/me names no user")
    reply = done(await lab.get(at("/users", me, "userGroup")))
    group = reply.row("userGroup") or next(iter(reply.rows("userGroups")), {})
    number = str(group.get("groupid") or group.get("group") or "")
    yield "user_group", "said" if number else "not said"
    reply = await lab.get("/settings/account")
    if not reply.ok and (reply.status not in FORBIDDEN or number in ("", ADMIN_GROUP)):
        raise unsettled(reply)
    yield "admin", "yes" if reply.ok else "no"


async def _reads(lab: Lab) -> Findings:
    """Every so many-th read is refused (section 1.2): at which distance, of a dozen."""
    answers = [await lab.once("/users/me") for _ in range(READS)]
    if not any(reply.ok for reply in answers):
        raise unsettled(answers[0])
    refused = [place for place, reply in enumerate(answers) if reply.status in (401, 403)]
    strange = [reply for place, reply in enumerate(answers) if not reply.ok and place not in refused]
    if not strange:
        yield "flaky_reads", str(refused[1] - refused[0]) if len(refused) > 1 else "once" if refused else "0"
    yield "request_id", "present" if "x-request-id" in lab.headers else "absent"
    limit = lab.headers.get("ratelimit-limit")
    if limit is not None:
        yield "rate_limit_header", limit
    if strange:
        raise unsettled(strange[0])
    raise Unsettled("no answer had a RateLimit-Limit header; `--burst` measures the limit")


EXPERIMENTS = (
    Experiment("a wrong token", (BAD_TOKEN,), _token, 1, writes=False),
    Experiment("whose key it is", (EYES, ADMIN), _eyes, 9, writes=False),
    Experiment("a dozen reads", (FLAKY, REQUEST_ID, HEADERS), _reads, READS, writes=False),
)
