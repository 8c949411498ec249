"""The outcome as text: tables for the terminal and for RESULTS.md, which are the same."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, with_unit
from benchmarks.peers.peer import Rates, WorkerRates

RESULTS = Path(__file__).parent / "RESULTS.md"
MET = {True: "yes", False: "**no**", None: ""}


def render(
    figures: Sequence[Figure],
    peers: Sequence[Rates],
    workers: Sequence[WorkerRates],
    *,
    machine: dict[str, str],
    command: str,
) -> str:
    """Everything that was measured, as Markdown."""
    parts = [
        "# Results",
        f"Written by `{command}`; the numbers of another machine will differ, the ratios less so.",
        table(("", ""), list(machine.items())),
        "## Figures",
        figures_table(figures),
    ]
    if peers:
        parts += ["## Beside other brokers", PEERS, peers_table(peers)]
    if workers:
        parts += ["## Beside other job libraries", WORKERS, workers_table(workers)]
    return "\n\n".join(parts) + "\n"


PEERS = """\
The same job of 200 bytes, 32 connections on the loopback, every answer after its sync but where the remark
says otherwise; medians of rounds in which each broker has its turn. A life cycle is create, claim and
complete, each a request of its own. The others speak lean protocols of their own and keep their files in the
clear; JobEngine parses HTTP and JSON, checks both, and encrypts."""


WORKERS = """\
Jobs that do nothing, with each library's own worker: one process, 4 jobs at once but where the remark says
otherwise. All are enqueued first, one after the other by one client; jobs a second count from the first one
begun to the last one done. Redis runs with `appendfsync always`, PostgreSQL with its own settings; medians of
rounds in which each library has its turn."""


def figures_table(figures: Sequence[Figure]) -> str:
    """What was measured beside what it must be."""
    rows = [(figure.name, figure.shown, figure.bound, MET[figure.met], figure.note) for figure in figures]
    return table(("figure", "measured", "must be", "met", "how it came about"), rows)


def peers_table(peers: Sequence[Rates]) -> str:
    """Each broker in a row."""
    rows = [
        (
            rates.name,
            with_unit(rates.creates, ""),
            with_unit(rates.claims, ""),
            with_unit(rates.lives, ""),
            rates.remark,
        )
        for rates in peers
    ]
    return table(("broker", "creates/s", "claims/s", "life cycles/s", "remark"), rows)


def workers_table(workers: Sequence[WorkerRates]) -> str:
    """Each library in a row."""
    rows = [
        (rates.name, with_unit(rates.enqueued, ""), with_unit(rates.done, ""), rates.remark)
        for rates in workers
    ]
    return table(("library", "enqueued/s", "jobs/s", "remark"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, aligned so that it also reads well in a terminal."""
    lines = [head, ["" for _ in head], *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(head))]
    return "\n".join(
        "| "
        + " | ".join(
            cell.ljust(width, "-" if number == 1 else " ") for cell, width in zip(line, widths, strict=True)
        )
        + " |"
        for number, line in enumerate(lines)
    )
