"""`jobengine db rekey`."""

import os
import sys
from typing import Final

import typer

from jobengine.cli.db.options import Database, Json, database_of, has_secret

_MISSING: Final = (
    "SECRET_NEW: is not set; make one and keep it first: (umask 077; openssl rand -hex 32 >new-secret), "
    "then give the file's name as SECRET_NEW_FILE=new-secret, or type it on a terminal"
)
_SHORT: Final = (
    "The new SECRET is short: a patient stranger with a copy of the file might guess it. "
    "Better: (umask 077; openssl rand -hex 32 >new-secret), and then SECRET_NEW_FILE=new-secret"
)
_WHAT_NOW: Final = """\
Only the new SECRET opens the file now. A server that is running goes on with it.
Before its next start, put the new one in its environment: SECRET, or the file that SECRET_FILE names.
Copies and old files from before still need the old one: keep it for as long as you keep them."""


def rekey(db: Database = None, json: Json = False) -> None:  # noqa: FBT002 - an option, not an argument
    """Write the file anew under a new SECRET, with a new data key; a running server goes on serving.

    Takes SECRET or SECRET_FILE, and SECRET_NEW or SECRET_NEW_FILE, from the environment; asks on a terminal
    for what is not there. Interrupted at any point, it leaves a file that exactly one of the two opens.
    """
    from jobengine.cli.db.rewriting import rewrite, tell
    from jobengine.control.protocol import Rekey
    from jobengine.settings.secret import is_short

    database = database_of(db)
    secret, new_secret = _secret(), _new_secret()
    if is_short(new_secret):
        typer.echo(_SHORT, err=True)
    compacted = rewrite(database, Rekey(secret, new_secret), secret=lambda: secret)
    tell(compacted, database, as_json=json)
    typer.echo(_WHAT_NOW, err=True)


def _secret() -> str:
    from jobengine.settings.secret import read_secret

    if not has_secret() and sys.stdin.isatty():
        return _checked(_prompt("The SECRET as it is now"), "SECRET")
    return read_secret(os.environ)


def _new_secret() -> str:
    """Raises ConfigurationWrong: before anything is begun."""
    from jobengine.errors import ConfigurationWrong
    from jobengine.settings.secret import read_new_secret

    secret = read_new_secret(os.environ)
    if secret is None and sys.stdin.isatty():
        secret = _prompt("The new SECRET", again="The new SECRET again")
    if secret is None:
        raise ConfigurationWrong(_MISSING)
    return _checked(secret, "SECRET_NEW")


def _prompt(what: str, *, again: str | None = None) -> str:
    answered: str = typer.prompt(what, hide_input=True, err=True, confirmation_prompt=again or False)
    return answered


def _checked(secret: str, name: str) -> str:
    from jobengine.journal.keys import Secret

    Secret.parse(secret, name=name)
    return secret
