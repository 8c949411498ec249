"""What all commands that ask a broker have in common: where it is, who asks, and how the answer looks."""

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec

import typer

from jobengine.cli.completion import context_names, queue_names
from jobengine.cli.output import Format, columns, print_json, printable
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.cli.contexts import Context
    from jobengine.client.client import Client
    from jobengine.errors import JobEngineError

P = ParamSpec("P")

REFUSED_EXIT_CODE: Final = 1
NOT_SO_EXIT_CODE: Final = 3  # nothing was refused: no job is there, or it did not complete
WATCH_SECONDS: Final = 2.0
_CLEAR_SCREEN: Final = "\x1b[H\x1b[2J"
_RETRY_SECONDS: Final = 2.0  # whoever sits before a terminal would rather know

QueueName = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue.", autocompletion=queue_names)]
Watch = Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until it is ended.")]


Ca = Annotated[
    Path | None, typer.Option(help="The authority of the broker's certificate, else JOBENGINE_CA.")
]
Cert = Annotated[Path | None, typer.Option(help="Your certificate, else JOBENGINE_CERT.")]
Key = Annotated[Path | None, typer.Option(help="Its key, else JOBENGINE_KEY.")]


def _common(
    url: Annotated[
        str | None, typer.Option(help="The broker's address, else JOBENGINE_URL, else that of the context.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Who asks, else JOBENGINE_NAME, else that of the context.")
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(
            help="The context to use, before the environment; else the current one.",
            autocompletion=context_names,
        ),
    ] = None,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
    output: Annotated[
        Format, typer.Option("--output", "-o", help="table, json (one document) or jsonl (a line for each).")
    ] = Format.TABLE,
) -> None:
    """The options that each command gets."""


class Asking:
    """The broker that a command asks, and the terminal where the answer goes."""

    def __init__(self, client: "Client", output: Format) -> None:
        self.client = client
        self.output = output

    def show(self, document: Any, lines: Iterable[str]) -> None:
        """One thing: its lines for people."""
        if self.output is Format.TABLE:
            for line in lines:
                typer.echo(printable(line))
        else:
            print_json(document)

    def show_all(
        self, documents: Iterable[Any], heads: Sequence[str], row: Callable[[Any], Sequence[str]]
    ) -> None:
        """Several things of a kind: a row of each for people."""
        if self.output is Format.JSONL:
            for document in documents:
                print_json(document)
            return
        everything = list(documents)
        if self.output is Format.JSON:
            print_json(everything)
        else:
            for line in columns(heads, [row(each) for each in everything]):
                typer.echo(printable(line))

    def show_each(self, documents: Iterable[Any], line: Callable[[Any], str]) -> None:
        """Several things of a kind, each as soon as it is there: a line of each for people."""
        if self.output is Format.JSON:
            print_json(list(documents))
            return
        for document in documents:
            self.show(document, [line(document)])

    def again(self, look: Callable[[], None], *, watch: bool) -> None:
        """Look once; or again and again until the user ends it, also while the broker is away."""
        from jobengine.errors import Unavailable, Unreachable

        look()
        with suppress(KeyboardInterrupt):
            while watch:
                sys.stdout.flush()
                time.sleep(WATCH_SECONDS)
                if sys.stdout.isatty() and self.output is Format.TABLE:
                    sys.stdout.write(_CLEAR_SCREEN)
                try:
                    look()
                except (Unavailable, Unreachable) as refusal:
                    say_refusal(refusal)

    def confirm(self, question: str, *, is_sure: bool) -> None:
        """Ask, where somebody is there to be asked. Ends with 64 where nobody is, and with 1 for a no."""
        if is_sure:
            return
        if not sys.stdin.isatty():
            raise WrittenWrong(f"{question} There is no terminal to ask on: say --yes")
        typer.confirm(question, abort=True, err=True)


def asks(command: Callable[Concatenate[Asking, P], None]) -> Callable[..., None]:
    """Give a command its Asking, and the options that it is made of. A refusal is a line, and exit code 1."""
    _, *own = inspect.signature(command).parameters.values()
    common = inspect.signature(_common).parameters.values()

    def asking(**arguments: Any) -> None:
        from jobengine.cli.contexts import Context

        _check_text(arguments.values())
        output = arguments.pop("output")
        where = Context(url=arguments.pop("url"), name=arguments.pop("name"), **files_of(arguments))
        with told(), client_of(where, arguments.pop("context")) as client:
            command(Asking(client, output), **arguments)  # type: ignore[call-arg]

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *common)]
    asking.__name__ = command.__name__
    asking.__doc__ = command.__doc__
    asking.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    asking.__annotations__ = {each.name: each.annotation for each in parameters}
    return asking


def files_of(arguments: dict[str, Any]) -> dict[str, str | None]:
    """The paths of TLS, taken out of these."""
    paths = {each: arguments.pop(each) for each in ("ca", "cert", "key")}
    return {each: None if path is None else str(path) for each, path in paths.items()}


def client_of(
    given: "Context",
    chosen: str | None,
    *,
    answer_seconds: float = 30,
    retry_seconds: float = _RETRY_SECONDS,
) -> "Client":
    """A client for the broker that is meant. Raises ConfigurationWrong."""
    from jobengine.client.client import Client

    context = broker_meant(given, chosen)
    return Client(
        context.url,
        name=context.name,
        ca=context.ca,
        cert=context.cert,
        key=context.key,
        retry_seconds=retry_seconds,
        answer_seconds=answer_seconds,
    )


def broker_meant(given: "Context", chosen: str | None) -> "Context":
    """Where the broker is, and who asks. Raises ConfigurationWrong."""
    from jobengine.cli.contexts import context_in_use
    from jobengine.errors import ConfigurationWrong

    context = context_in_use(given, chosen, os.environ)
    if context.name is None and context.cert is None:
        raise ConfigurationWrong(
            "who asks? Give --name, set JOBENGINE_NAME, or keep both address and name: jobengine context add"
        )
    return context


def _check_text(arguments: Iterable[object]) -> None:
    """Nothing else can be sent. Raises WrittenWrong."""
    for argument in arguments:
        for text in argument if isinstance(argument, list) else (argument,):
            if isinstance(text, str) and any("\ud800" <= sign <= "\udfff" for sign in text):
                raise WrittenWrong("what is typed must be UTF-8")


@contextmanager
def told() -> Iterator[None]:
    """What the broker refuses is told in a line."""
    from jobengine.errors import Fatal, JobEngineError

    try:
        yield
    except Fatal:
        raise
    except JobEngineError as refusal:
        say_refusal(refusal)
        raise typer.Exit(REFUSED_EXIT_CODE) from None


def say_refusal(refusal: "JobEngineError", *, of: str = "") -> None:
    """A line on stderr."""
    typer.echo(printable(f"{of}{refusal.code}: {' '.join(refusal.detail.split())}"), err=True)
