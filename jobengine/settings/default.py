"""The configuration that a first start finds, where there is none."""

from pathlib import Path
from typing import Final

from jobengine.errors import ConfigurationWrong

DEFAULT_TEXT: Final = """\
# JobEngine's configuration. Edits are taken up while it runs; `jobengine config check` tells mistakes.
# This file is king: a queue that is not named here is dropped from the database, with its jobs.

version: 1
host: 127.0.0.1             # 0.0.0.0 for every interface
port: 6010
job_keep_minutes: 60        # how long complete and failed jobs are kept
job_timeout_minutes: 10     # in progress longer than this without an update: failed

queues: {}
# queues:
#   mail:
#     read: [postman]       # the services that may claim and list its jobs
#     write: [website]      # the services that may create, change and delete them
"""


def ensure_configuration(path: Path, *, database: Path) -> bool:
    """Write the default where neither a configuration nor a database is. Returns whether it did.

    Raises ConfigurationWrong when only the configuration is missing: a volume that was not mounted
    must not empty the queues.
    """
    try:
        if path.exists():
            return False
        if database.exists():
            raise ConfigurationWrong(
                f"{path}: is not there, but the database {database} is; bring it back, "
                "since queues that no configuration names are dropped with their jobs"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(DEFAULT_TEXT)
    except OSError as error:
        raise ConfigurationWrong(f"{path}: is not there and cannot be made: {error.strerror}") from error
    return True
