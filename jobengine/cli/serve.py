"""`jobengine serve`."""

import os
from pathlib import Path
from typing import Annotated

import typer


def serve(
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration file, else CONFIG_PATH, else /jobengine/config.yml."),
    ] = None,
    db: Annotated[
        Path | None, typer.Option(help="The database file, else DB_PATH, else /jobengine/database.queuedb.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Where to listen, whatever the configuration says.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port, whatever the configuration says; 0 is any."),
    ] = None,
) -> None:
    """Serve the queues of the configuration until SIGTERM. Needs SECRET or SECRET_FILE in the environment."""
    from jobengine.settings.environment import configuration_path, database_path
    from jobengine.settings.logs import set_up_logs
    from jobengine.settings.secret import read_secret

    set_up_logs(os.environ)
    configuration = config or configuration_path(os.environ)
    database = db or database_path(os.environ)
    secret = read_secret(os.environ)
    _warn(database, secret)

    from jobengine import compose

    code = compose.serve(configuration=configuration, database=database, secret=secret, host=host, port=port)
    raise typer.Exit(code)


def _warn(database: Path, secret: str) -> None:
    import structlog

    from jobengine.settings.environment import DATABASE_SUFFIX
    from jobengine.settings.secret import is_short

    log = structlog.get_logger()
    if database.suffix != DATABASE_SUFFIX:
        log.warning("database_name_unusual", path=str(database), usual=f"*{DATABASE_SUFFIX}")
    if is_short(secret):
        log.warning("secret_short", instead="SECRET=$(openssl rand -hex 32)")
