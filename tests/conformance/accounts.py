"""Accounts that behave differently, as the sources differ: a few combinations of the emulator's settings."""

from __future__ import annotations

from reconciler.emulator import AccountSettings

ACCOUNTS = {
    "plain": AccountSettings(),
    # 2020: orphan stages, ids that come back, pages of 20, answers of mixed types, PUT /lists with a body.
    "old": AccountSettings(orphan_stages=True, id_reuse=True, cap_limit=20, mixed_types=7, list_put="list"),
    # Nothing side-loaded, bulk options replace, undocumented collections of members gone.
    "bare": AccountSettings(
        side_load_stages=False, bulk_options="replace", mixed_types=3, missing=("dealGroupUsers", "dealGroupGroups")
    ),
}
