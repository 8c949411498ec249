"""`jobengine version`."""

import platform
from importlib.metadata import version as version_of
from typing import Final

import typer

from jobengine import __version__

# What a report of a mistake should name.
LIBRARIES: Final = ("aiohttp", "cryptography", "msgspec")


def version() -> None:
    """Print the versions of JobEngine and of what it stands on."""
    typer.echo(f"jobengine {__version__}")
    typer.echo(f"python {platform.python_version()}")
    for library in LIBRARIES:
        typer.echo(f"{library} {version_of(library)}")
