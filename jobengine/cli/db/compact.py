"""`jobengine db compact`."""

import os

from jobengine.cli.db.options import Database, Json, database_of


def compact(db: Database = None, json: Json = False) -> None:  # noqa: FBT002 - an option, not an argument
    """Write the file anew with nothing but what is live in it: smaller, and under a new data key.

    A running server does it while it goes on serving. Without one, this needs SECRET or SECRET_FILE in the
    environment.
    """
    from jobengine.cli.db.rewriting import rewrite, tell
    from jobengine.control.protocol import Compact
    from jobengine.settings.secret import read_secret

    database = database_of(db)
    compacted = rewrite(database, Compact(), secret=lambda: read_secret(os.environ))
    tell(compacted, database, as_json=json)
