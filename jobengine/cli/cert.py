"""`jobengine cert`: a working set of certificates, for a test or a small house."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.usage import WrittenWrong
from jobengine.errors import InputOutputFailed, Unreachable

if TYPE_CHECKING:
    from jobengine.access.issuing import Issued

Directory = Annotated[
    Path, typer.Option("--dir", help="Where the files are, and go: else TLS_DIR, else ssl.", envvar="TLS_DIR")
]
Again = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]
_SSL = Path("ssl")


def application() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True, help="Make certificates: an authority, and what it signs.")
    group.command()(ca)
    group.command()(server)
    group.command()(client)
    return group


def ca(
    name: Annotated[str, typer.Option(help="What it calls itself.")] = "JobEngine CA",
    directory: Directory = _SSL,
    force: Again = False,  # noqa: FBT002 - an option, not an argument
) -> None:
    """Make an authority: ca.crt, which all may read, and ca.key, which signs and must stay secret."""
    from jobengine.access.issuing import issue_ca

    _write(directory, "ca", issue_ca(name), force=force)


def server(
    host: Annotated[
        list[str] | None, typer.Argument(help="Host names and IP addresses; else localhost and 127.0.0.1.")
    ] = None,
    directory: Directory = _SSL,
    force: Again = False,  # noqa: FBT002 - an option, not an argument
) -> None:
    """Make server.crt and server.key, signed by the authority."""
    from jobengine.access.issuing import is_host, issue_server

    for each in host or ():
        if not is_host(each):
            raise WrittenWrong(
                f"a host is a name or an IP address, without http://, port or path; {each!r} is none"
                " (names of other scripts are written xn--…)"
            )
    with _readable_authority(directory) as authority:
        issued = issue_server(authority, host or ["localhost", "127.0.0.1", "::1"])
    _write(directory, "server", issued, force=force)


def client(
    service: Annotated[str, typer.Argument(help="The service that whoever has it will be.")],
    directory: Directory = _SSL,
    force: Again = False,  # noqa: FBT002 - an option, not an argument
) -> None:
    """Make SERVICE.crt and SERVICE.key for a client, signed by the authority."""
    from jobengine.access.issuing import issue_client
    from jobengine.settings.reader import is_name

    if not is_name(service):
        raise WrittenWrong("a service's name has letters, digits, '.', '_' and '-', at most 64")
    with _readable_authority(directory) as authority:
        issued = issue_client(authority, service)
    _write(directory, service, issued, force=force)


@contextmanager
def _readable_authority(directory: Path) -> Iterator["Issued"]:
    """Raises Unreachable, also when what it is used for shows that it is none."""
    from jobengine.access.issuing import Issued

    try:
        yield Issued((directory / "ca.crt").read_bytes(), (directory / "ca.key").read_bytes())
    except FileNotFoundError:
        raise Unreachable(f"no authority is in {directory}: make one with `jobengine cert ca`") from None
    except ValueError:
        raise Unreachable(
            f"ca.crt and ca.key in {directory} are not those of an authority, or over, or encrypted"
        ) from None
    except OSError as error:
        raise Unreachable(f"the authority in {directory} cannot be read: {error.strerror}") from None


def _write(directory: Path, name: str, issued: "Issued", *, force: bool) -> None:
    """Both are written before either takes its place. The key is its owner's alone from its first byte on."""
    cert, key = directory / f"{name}.crt", directory / f"{name}.key"
    if not force and (there := [path for path in (cert, key) if path.exists()]):
        raise WrittenWrong(
            f"{there[0]} is there already; --force replaces it (what an old authority signed is void then)"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with ExitStack() as written:
            news = [
                _written(key, issued.key, 0o600, written),
                _written(cert, issued.cert, 0o644, written),
            ]
            for new, path in zip(news, (key, cert), strict=True):
                new.replace(path)
    except OSError as error:
        raise InputOutputFailed(f"{directory} cannot be written: {error.strerror}") from None
    typer.echo(f"{cert}\n{key}")


def _written(path: Path, content: bytes, mode: int, removed: ExitStack) -> Path:
    """A new file beside this one, which is removed in the end if it is still there. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    removed.callback(new.unlink, missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    return new
