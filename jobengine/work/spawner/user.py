"""As whom programs are run."""

import os
import pwd
from typing import Final

from msgspec import Struct

from jobengine.errors import ConfigurationWrong

# The user that owns nothing, on every system (Linux Standard Base).
NOBODY: Final = "nobody"


class User(Struct, frozen=True):
    """A user of the system, with all of their groups."""

    name: str
    user_id: int
    group_id: int
    groups: tuple[int, ...]

    @classmethod
    def named(cls, name: str) -> "User":
        """Look one up. Raises ConfigurationWrong."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise ConfigurationWrong(f"run.user: there is no user {name} on this machine") from None
        groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)


def user_for(name: str | None, *, is_sandboxed: bool) -> User | None:
    """As whom the runs of a queue run that names this user or none; None is: as the worker itself.

    Root's programs can read all that root can, and no limit of processes holds for them. So root runs nothing
    as root: in a sandbox it is `nobody` unless somebody is named, and without one somebody must be. Others
    run jobs as themselves: `nobody` in the configuration asks no more of them, for they are not root. Raises
    ConfigurationWrong.
    """
    if os.geteuid() != 0:
        if name is None or name == NOBODY or User.named(name).user_id == os.geteuid():
            return None
        raise ConfigurationWrong(f"run.user: only root can run jobs as {name}; leave run.user out")
    if name is None and is_sandboxed:
        return User.named(NOBODY)
    if name is None:
        raise ConfigurationWrong(
            "run.user: the server is root, so say as whom jobs run: `user: nobody`, or a user made for them"
        )
    user = User.named(name)
    if user.user_id == 0:
        raise ConfigurationWrong("run.user: jobs are not run as root; take `nobody`, or a user made for it")
    return user
