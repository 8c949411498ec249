"""The ledger of operations: each intent before it is sent, each outcome after its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Lock

import msgspec
from msgspec import Struct

from tests.crash.operations import Operation


class Intent(Struct, frozen=True, tag="intent"):
    """This is about to be sent."""

    number: int
    operation: Operation


class Outcome(Struct, frozen=True, tag="outcome"):
    """This was answered."""

    number: int
    status: int
    body: bytes


class Event(Struct, frozen=True):
    """An operation between two moments; without an outcome nobody knows what came of it."""

    number: int
    operation: Operation
    began: int
    ended: int | None = None
    outcome: Outcome | None = None


class LedgerWriter:
    """Writes a ledger. Several clients may write at once: their lines have one order."""

    def __init__(self) -> None:
        self._next_number = 1
        self._lock = Lock()
        self._file: FileIO | None = None

    @contextmanager
    def open(self, path: Path) -> Iterator[None]:
        """Write here as long as it is open."""
        with path.open("wb", buffering=0) as self._file:
            yield

    def intend(self, operation: Operation) -> int:
        """The number of an operation that is about to be sent."""
        with self._lock:
            number = self._next_number
            self._next_number += 1
            self._write(Intent(number, operation))
            return number

    def conclude(self, number: int, status: int, body: bytes) -> None:
        """It was answered."""
        with self._lock:
            self._write(Outcome(number, status, body))

    def _write(self, line: Intent | Outcome) -> None:
        assert self._file is not None
        self._file.write(msgspec.json.encode(line) + b"\n")


def read_ledger(path: Path) -> list[Event]:
    """All operations, in the order in which they began. A moment is the number of a line."""
    events: dict[int, Event] = {}
    decoder = msgspec.json.Decoder(Intent | Outcome)
    for moment, line in enumerate(path.read_bytes().splitlines()):
        match decoder.decode(line):
            case Intent(number, operation):
                events[number] = Event(number, operation, moment)
            case Outcome(number) as outcome:
                events[number] = msgspec.structs.replace(events[number], ended=moment, outcome=outcome)
    return list(events.values())
