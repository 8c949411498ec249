"""The parts of the documentation that the code says itself: tables and a diagram.

`make reference` writes them into the pages, between two comments; a test holds the pages against them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from jobengine import errors
from jobengine.cli.main import application
from jobengine.engine.interface import QueueStatus
from jobengine.errors import Fatal, JobEngineError
from jobengine.model.commands import Swept
from jobengine.model.queue import Queue
from jobengine.model.states import TRANSITIONS, State
from jobengine.settings.reference import options_table, variables_table
from jobengine.web.metrics import Metrics
from jobengine.web.problems import STATUSES
from tests.docs.http_reference import operations_reference, types_reference

DOCS: Final = Path(__file__).parents[2] / "docs"
_PART: Final = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page of the documentation."""
    return sorted(DOCS.rglob("*.md"))


def filled(page: str) -> str:
    """The page with every generated part as the code has it now."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']]()}\n{part[3]}", page)


def states_diagram() -> str:
    """The table of transitions as a Mermaid diagram."""
    moves: dict[str, list[str]] = {}
    for (before, event), after in TRANSITIONS.items():
        ends = ("[*]" if state is State.GONE else state.value for state in (before, after))
        moves.setdefault(" --> ".join(ends), []).append(event.replace("_", " "))
    lines = (f"    {ends}: {', '.join(events)}" for ends, events in moves.items())
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def problems_table() -> str:
    """What a request can be refused with."""
    rows = (
        (f"`{error.code}`", f"{STATUSES[error.code]:d}", _first_line(error))
        for error in _errors()
        if error.code in STATUSES
    )
    return _table(("Code", "Status", "Meaning"), rows)


def exit_codes_table() -> str:
    """What the program ends with when it cannot go on."""
    fatal = sorted(
        (error for error in _errors() if issubclass(error, Fatal)), key=lambda error: error.exit_code
    )
    rows = ((f"`{error.exit_code}`", f"`{error.code}`", _first_line(error)) for error in fatal)
    return _table(("Exit code", "Name", "Meaning"), rows)


def metrics_table() -> str:
    """Every metric of the server's own."""
    rows = ((f"`{name}`", kind, labels, meaning) for name, kind, labels, meaning in _metrics())
    return _table(("Metric", "Type", "Labels", "Meaning"), rows)


def commands_reference() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(application())
    return "\n".join(_command(path, command) for path, command in _commands("jobengine", root))


PARTS: Final[dict[str, Callable[[], str]]] = {
    "commands": commands_reference,
    "exit_codes": exit_codes_table,
    "metrics": metrics_table,
    "operations": operations_reference,
    "options": options_table,
    "problems": problems_table,
    "states": states_diagram,
    "types": types_reference,
    "variables": variables_table,
}


def _errors() -> list[type[JobEngineError]]:
    return [
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, JobEngineError) and error is not JobEngineError
    ]


def _first_line(described: type) -> str:
    return (described.__doc__ or "").partition("\n")[0]


def _metrics() -> Iterator[tuple[str, str, str, str]]:
    metrics = Metrics()
    metrics.operation("create", "ok", 0.0)
    metrics.sweep(Swept())
    metrics.queues = lambda: [QueueStatus(Queue("mail", keep=0, lease=0), dict.fromkeys(State, 0), 0, 0, 0)]
    for family in metrics.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        yield name, family.type, ", ".join(f"`{label}`" for label in labels), family.documentation


def _commands(path: str, command: TyperCommand | TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperCommand):
        yield path, command
        return
    for name, child in command.commands.items():
        yield from _commands(f"{path} {name}", child)


def _command(path: str, command: TyperCommand) -> str:
    options = [each for each in command.params if isinstance(each, TyperOption) and each.name != "help"]
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    rows = [
        *((f"`{str(argument.name).upper()}`", argument.help or "") for argument in arguments),
        *((f"`{option.opts[0]}`", option.help or "") for option in options),
    ]
    heads = ("Argument, option" if arguments else "Option", "Meaning")
    table = f"\n{_table(heads, rows)}" if rows else ""
    return f"## `{path}`\n\n{command.help}\n{table}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for each in pages():
        each.write_text(filled(each.read_text()))
