"""Arguments and options that commands about jobs share."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.client.job import Job

SHOWN_MOST: Final = 2000  # characters of one value

Uid = Annotated[str, typer.Argument(metavar="UID", help="The uid of the job.")]
LeaseId = Annotated[str, typer.Option("--lease", help="The id of the lease, as the claim told it.")]


def seconds(text: str) -> float:
    """A duration as it is typed: 90, 90s, 10m, 250ms."""
    from jobengine.settings.durations import parse_duration

    milliseconds = parse_duration(text)
    if milliseconds is None:
        raise typer.BadParameter("must be a number of seconds, or a time such as 90s, 10m or 2h")
    return milliseconds / 1000


def time_option(meaning: str) -> Any:
    """An option that takes a duration, as seconds."""
    return typer.Option(parser=seconds, metavar="TIME", help=meaning)


def value_of(text: str) -> Any:
    """What an argument stands for: `-` is what comes in, `@FILE` is what stands in the file, as JSON."""
    import msgspec

    data = bytes_of(text)
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrittenWrong(f"not JSON ({error}); a text stands in quotes of its own: '\"text\"'") from None
    except RecursionError:
        raise WrittenWrong("JSON that is nested too deeply") from None
    return msgspec.Raw(data)


def bytes_of(text: str) -> bytes:
    """The bytes that an argument stands for."""
    import sys
    from pathlib import Path

    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise WrittenWrong(f"{text[1:]} cannot be read: {error.strerror}") from None


HEADS = ("UID", "STATE", "PRIORITY", "ATTEMPT", "CREATED", "TAGS", "CONTENT")


def row(job: "Job") -> tuple[str, ...]:
    """A job in a table."""
    from jobengine.cli.output import one_line, time_text

    return (
        job.uid,
        _state(job),
        str(job.priority),
        str(job.attempt),
        time_text(job.created),
        ",".join(job.tags),
        one_line(job.content),
    )


def _state(job: "Job") -> str:
    if job.control == "stop":
        return "stopping"
    return "halted" if job.halted else job.state.value


def details(job: "Job") -> list[str]:
    """All that there is to say of a job, a line for each."""
    from msgspec import structs

    from jobengine.cli.db.options import table
    from jobengine.cli.output import one_line

    said = ((field.name, getattr(job, field.name), field.default) for field in structs.fields(job))
    shown = [(name, value) for name, value, default in said if value is not default and value != ()]
    return table(
        (name, _short(value if isinstance(value, str) else one_line(value).strip('"')))
        for name, value in shown
    )


def _short(text: str) -> str:
    """An archive in a job would fill many screens."""
    if len(text) <= SHOWN_MOST:
        return text
    return f"{text[:SHOWN_MOST]} … (of {len(text)} characters; --output json tells all)"
