"""`jobengine context`: brokers by a name."""

import os
from pathlib import Path
from typing import Annotated

import typer

from jobengine.cli.completion import context_names
from jobengine.cli.usage import WrittenWrong

ContextName = Annotated[
    str, typer.Argument(metavar="CONTEXT", help="The context.", autocompletion=context_names)
]
File = Annotated[Path | None, typer.Option(help="A file for TLS, in PEM.")]


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(help="Keep the addresses of brokers.", no_args_is_help=True, rich_markup_mode=None)
    commands.command()(add)
    commands.command()(use)
    commands.command("list")(list_)
    commands.command()(remove)
    return commands


def add(
    context: ContextName,
    url: Annotated[str, typer.Option(help="The broker's address, as in https://jobs.example.org:6010.")],
    name: Annotated[str, typer.Option(help="The service in whose name you ask.")],
    ca: File = None,
    cert: File = None,
    key: File = None,
) -> None:
    """Keep the address of a broker, or change it. The first one is in use from then on."""
    from msgspec.structs import replace

    from jobengine.cli.contexts import Context, load_contexts, save_contexts
    from jobengine.client.address import address

    if not context.isprintable():
        raise WrittenWrong("the name of a context is one line")
    files = {each: str(path.absolute()) for each, path in (("ca", ca), ("cert", cert), ("key", key)) if path}
    address(url, name)  # refuses what is none
    kept = load_contexts(os.environ)
    new = Context(url=url, name=name, **files)
    current = kept.current or context
    save_contexts(os.environ, replace(kept, current=current, contexts={**kept.contexts, context: new}))
    typer.echo(f"{context}: kept{', and in use' if current == context else ''}")


def use(context: ContextName) -> None:
    """Ask this broker from now on."""
    from msgspec.structs import replace

    from jobengine.cli.contexts import load_contexts, save_contexts

    kept = load_contexts(os.environ)
    kept.named(context)
    save_contexts(os.environ, replace(kept, current=context))
    typer.echo(f"{context}: in use")


def list_(
    json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")] = False,  # noqa: FBT002
) -> None:
    """Tell all contexts; the one in use has a star."""
    import msgspec

    from jobengine.cli.contexts import load_contexts
    from jobengine.cli.output import columns

    kept = load_contexts(os.environ)
    if json:
        typer.echo(msgspec.json.encode(kept).decode())
        return
    rows = [
        ("*" if name == kept.current else "", name, context.name or "", context.url or "")
        for name, context in kept.contexts.items()
    ]
    for line in columns(("", "CONTEXT", "NAME", "URL"), rows):
        typer.echo(line)


def remove(context: ContextName) -> None:
    """Forget a broker's address."""
    from msgspec.structs import replace

    from jobengine.cli.contexts import load_contexts, save_contexts

    kept = load_contexts(os.environ)
    kept.named(context)
    left = {name: each for name, each in kept.contexts.items() if name != context}
    current = None if kept.current == context else kept.current
    save_contexts(os.environ, replace(kept, current=current, contexts=left))
    typer.echo(f"{context}: forgotten")
