"""How commands are grouped in the help, and what is typed: two examples of each, which a test parses."""

from __future__ import annotations

GROUPS = {
    "Every day": ("plan", "apply", "show", "validate", "fmt", "drift", "explain", "undo", "destroy"),
    "Adopt an account": ("init", "doctor", "export", "import", "coverage", "handbook", "kinds", "schema"),
    "Environments": ("update", "compare", "clone", "promote", "snapshot", "rehearse", "replay", "probe"),
    "Many accounts": ("fleet",),
    "State": ("state", "runs", "lock"),
    "CI": ("ci", "policy", "graph", "ids", "test"),
    "The program": ("help", "completion", "emulator", "version"),
}
"""Commands by what a user is about to do. One that is in none of them is listed last."""

EXAMPLES = {
    "init": ("reconciler init acme", "reconciler init acme --adopt https://acme.api-us1.com"),
    "validate": ("reconciler validate", "reconciler validate --format github"),
    "fmt": ("reconciler fmt", "reconciler fmt --check"),
    "plan": ("reconciler plan", "reconciler -e prod plan --out prod.plan --format html=plan.html"),
    "show": ("reconciler show prod.plan", "reconciler show prod.plan --format markdown=plan.md"),
    "apply": ("reconciler apply", "reconciler -e prod apply prod.plan"),
    "destroy": ("reconciler -e demo destroy", "reconciler -e demo destroy --target tag.vip"),
    "export": ("reconciler -e prod export", "reconciler -e prod export --kinds tag,field --out copy"),
    "import": ("reconciler import tag.vip 12", "reconciler -e prod import field.plan_tier 7 --auto-approve"),
    "clone": ("reconciler clone --from prod --to sandbox --dry-run", "reconciler clone --from prod --to sandbox"),
    "promote": ("reconciler promote --from sandbox --to prod --dry-run", "reconciler promote --from sandbox --to prod"),
    "compare": ("reconciler compare sandbox prod", "reconciler compare sandbox prod --format html=difference.html"),
    "snapshot": ("reconciler -e prod snapshot --out prod.snapshot", "reconciler snapshot --kinds tag --out tags.json"),
    "rehearse": ("reconciler -e prod rehearse", "reconciler -e prod rehearse --target pipeline.sales"),
    "replay": ("reconciler replay prod.snapshot", "reconciler replay prod.snapshot --format json"),
    "probe": ("reconciler -e sandbox probe", "reconciler -e prod probe --read-only"),
    "doctor": ("reconciler doctor", "reconciler -e prod doctor"),
    "drift": ("reconciler drift", "reconciler -e prod drift --revert --out back.plan"),
    "explain": ("reconciler explain field.plan_tier", "reconciler -e prod explain list.newsletter --no-impact"),
    "fleet apply": ("reconciler fleet apply", "reconciler fleet apply --label region=eu --behind 2.0"),
    "fleet approve": (
        "reconciler fleet approve 2026-11-28 --wave rest --digest $DIGEST",
        "reconciler fleet approve 2026-11-28 --wave rest --digest $DIGEST --database postgresql://db/fleet",
    ),
    "fleet cancel": ("reconciler fleet cancel 2026-11-28", "reconciler fleet cancel 2026-11-28t091500-apply-7f3a"),
    "fleet drift": ("reconciler fleet drift", "reconciler fleet drift --format html=drift.html"),
    "fleet plan": ("reconciler fleet plan", "reconciler fleet plan --account 'acme-*' --format markdown=plan.md"),
    "fleet report": ("reconciler fleet report", "reconciler fleet report 2026-11-28 --out report"),
    "fleet resume": ("reconciler fleet resume", "reconciler fleet resume 2026-11-28 --wait"),
    "fleet status": ("reconciler fleet status", "reconciler fleet status --accounts"),
    "fleet validate": ("reconciler fleet validate", "reconciler --chdir agency fleet validate"),
    "fleet worker": (
        "reconciler fleet worker --name worker-0 --database postgresql://db/fleet",
        "reconciler fleet worker --drift '0 3 * * *' --metrics 9464",
    ),
    "graph": ("reconciler graph", "reconciler graph prod.plan --format svg=plan.svg"),
    "handbook": (
        "reconciler -e prod handbook --out handbook",
        "reconciler handbook --out handbook --from files",
    ),
    "ids": (
        "reconciler -e prod ids --lang dotenv",
        "reconciler --env all ids --lang python --out app/ids.py --check",
    ),
    "update": ("reconciler update", "reconciler -e prod update --check"),
    "test": ("reconciler test", "reconciler test 'won_*' --format junit=report.xml"),
    "policy test": ("reconciler policy test prod.plan", "reconciler policy test dev.plan prod.plan"),
    "ci approve": ("reconciler ci approve prod.plan", "reconciler ci approve prod.plan --host gitlab"),
    "ci approved": ("reconciler ci approved prod.plan", "reconciler ci approved prod.plan --host github"),
    "ci body": ("reconciler ci body prod.plan", "reconciler ci body prod.plan --host gitlab"),
    "ci comment": ("reconciler ci comment prod.plan", "reconciler ci comment prod.plan --pull 12"),
    "ci drift": ("reconciler ci drift", "reconciler -e prod ci drift --host github"),
    "ci fetch": ("reconciler ci fetch prod --out prod.plan", "reconciler ci fetch prod --out prod.plan --host github"),
    "ci guard": (
        "reconciler ci guard prod.plan --guards-from origin/main",
        "reconciler ci guard prod.plan --guards-from file:trusted/reconciler.yaml",
    ),
    "coverage": ("reconciler -e prod coverage", "reconciler -e prod coverage --min 80"),
    "state doctor": ("reconciler state doctor", "reconciler -e prod state doctor --format json"),
    "state history": ("reconciler state history", "reconciler -e prod state history --format json"),
    "state import": ("reconciler state import tag.vip 12", "reconciler -e prod state import field.plan_tier 7"),
    "state list": ("reconciler state list", "reconciler -e prod state list 'field.*'"),
    "state migrate": (
        "reconciler state migrate --to sqlite:state/state.db",
        "reconciler -e prod state migrate --to s3://bucket/acme",
    ),
    "state mv": ("reconciler state mv tag.vip tag.best", "reconciler -e prod state mv field.tier field.plan_tier"),
    "state pull": ("reconciler state pull", "reconciler -e prod state pull > state.json"),
    "state push": ("reconciler state push state.json", "reconciler -e prod state push state.json"),
    "state rekey": ("reconciler state rekey", "reconciler -e prod state rekey"),
    "state restore": ("reconciler state restore 12", "reconciler -e prod state restore 12"),
    "state rm": ("reconciler state rm tag.vip", "reconciler -e prod state rm tag.vip tag.old"),
    "state show": ("reconciler state show tag.vip", "reconciler -e prod state show tag.vip --format json"),
    "undo": ("reconciler undo", "reconciler -e prod undo latest --out back.plan"),
    "runs list": ("reconciler runs list", "reconciler -e prod runs list --format json"),
    "runs resume": ("reconciler runs resume", "reconciler -e prod runs resume --lock-timeout 60"),
    "runs show": ("reconciler runs show", "reconciler -e prod runs show 2026-11-28T10"),
    "lock break": ("reconciler lock break 3f9c", "reconciler -e prod lock break 3f9c"),
    "lock list": ("reconciler lock list", "reconciler -e prod lock list --format json"),
    "kinds": ("reconciler kinds", "reconciler kinds field"),
    "schema": ("reconciler schema config", "reconciler schema --out .reconciler"),
    "emulator reset": ("reconciler emulator reset", "reconciler emulator reset --db state/demo-account.db"),
    "emulator behave": (
        "reconciler emulator behave acme.json",
        "reconciler -e demo emulator behave facts.json",
    ),
    "emulator seed": ("reconciler emulator seed account.yaml", "reconciler -e demo emulator seed account.json"),
    "emulator serve": ("reconciler emulator serve", "reconciler emulator serve --port 0 --rate-limit 5"),
    "version": ("reconciler version", "reconciler --version"),
    "completion": ('eval "$(reconciler completion bash)"', "reconciler completion fish | source"),
    "help": ("reconciler help plan", "reconciler help state mv"),
}
"""What is typed, by command; a group of commands shows those of its first two."""


def examples(path: str) -> tuple[str, ...]:
    """Return the two examples of a command; of a group the first of each of its commands, before their others."""
    inner = [example for name, example in EXAMPLES.items() if name.startswith(f"{path} ")]
    return EXAMPLES.get(path) or tuple(line for lines in zip(*inner, strict=True) for line in lines)[:2]


def groups(names: list[str]) -> dict[str, list[str]]:
    """Return commands by group, in the order of the groups."""
    grouped = {title: [name for name in members if name in names] for title, members in GROUPS.items()}
    rest = [name for name in names if not any(name in members for members in GROUPS.values())]
    return {title: members for title, members in {**grouped, "More": rest}.items() if members}
