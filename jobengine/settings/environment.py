"""The environment variables that are read, and what they are for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

DATABASE_SUFFIX: Final = ".queuedb"


class Variable(Struct, frozen=True):
    """One environment variable."""

    name: str
    meaning: str
    default: str = ""


VARIABLES: Final = (
    Variable("SECRET", "The passphrase or key that the database file is sealed with."),
    Variable(
        "SECRET_FILE", "A file that holds it; one newline at its end does not count. Set one of the two."
    ),
    Variable("SECRET_NEW", "For `jobengine db rekey`: what is to take the place of SECRET."),
    Variable("SECRET_NEW_FILE", "A file that holds it. Set one of the two."),
    Variable("CONFIG_PATH", "The configuration file.", "/jobengine/config.yml"),
    Variable("DB_PATH", "The database file.", "/jobengine/database.queuedb"),
    Variable("LOG_LEVEL", "The least urgent events to log: debug, info, warning or error.", "info"),
    Variable("LOG_FORMAT", "How a line of the log looks: text or json.", "text"),
    Variable("GIN_MODE", "release or debug: a LOG_LEVEL of info or debug, where that is not set."),
    Variable("JOBENGINE_URL", "For clients: the broker's address.", "http://127.0.0.1:6010"),
    Variable("JOBENGINE_NAME", "For clients: the service in whose name they ask."),
    Variable("JOBENGINE_CA", "For clients: the certificates to trust, in PEM, in place of the system's."),
    Variable("JOBENGINE_CERT", "For clients: a certificate of their own, in PEM."),
    Variable("JOBENGINE_KEY", "For clients: the key of that certificate."),
    Variable("JOBENGINE_CONTEXT", "For the command line: the context to use, in place of the current one."),
)

_DEFAULTS: Final = {variable.name: variable.default for variable in VARIABLES}


def configuration_path(environment: Mapping[str, str]) -> Path:
    """Where the configuration file is."""
    return Path(environment.get("CONFIG_PATH") or _DEFAULTS["CONFIG_PATH"])


def database_path(environment: Mapping[str, str]) -> Path:
    """Where the database file is, or is to be."""
    return Path(environment.get("DB_PATH") or _DEFAULTS["DB_PATH"])
