"""The vendor's API from the vendor's documentation and recorded behaviour; knows nothing of the reconciler's kinds.

`open_account(path)` gives an account with an ASGI `app`; `serve(...)` puts it on a port. Section numbers in this
package are those of the project's notes on the API, `[OAS]` is the vendor's OpenAPI file, "recorded" means seen in real
traffic.
"""

from reconciler.emulator.application import Application, open_account
from reconciler.emulator.gate import ConnectionDropped
from reconciler.emulator.restoring import assumptions, restore
from reconciler.emulator.serving import serve
from reconciler.emulator.settings import AccountSettings, Fault

__all__ = [
    "AccountSettings",
    "Application",
    "ConnectionDropped",
    "Fault",
    "assumptions",
    "open_account",
    "restore",
    "serve",
]
