"""A small world for tests: a project in a folder, and the emulated account that it is about, in the same process.

    with new_world(tmp_path) as world:              # or the fixture `world`
        world.write("tags: {vip: {}}")
        world.apply()                               # through `workflow`; raises what the verb raises
        assert world.plan().empty
        assert world.rows("tags")[0]["tag"] == "vip"
        ran = world.cli("plan", "--detailed-exitcode")   # through the command line; exit code and output
        assert ran.code == 0, ran.text

The account is in memory; whatever opens its path, verb or command, gets the same one. Waiting takes no time.
`world.fault(...)` lets requests go wrong, `world.kill(...)` lets the program die at one, `world.behave(...)` changes
how the account behaves.
"""

from tests.world.paths import WRITABLE
from tests.world.project import TWO_ACCOUNTS, Applied, Killed, Planned, Ran, World, new_world

__all__ = ["TWO_ACCOUNTS", "WRITABLE", "Applied", "Killed", "Planned", "Ran", "World", "new_world"]
