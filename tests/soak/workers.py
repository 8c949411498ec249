"""Processes that each do pieces of one part, for as long as they are listened to."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tests.soak.part import Part, Violation
from tests.soak.results import Counts

CONTEXT = get_context("fork")


@contextmanager
def working(part: Part, place: Path) -> Iterator[Iterator[Counts]]:
    """What each piece has counted, as it comes. It raises Violation."""
    number = (os.cpu_count() or 1) if part.is_random else 1
    workers = [Worker(part, place / str(each)) for each in range(number)]
    try:
        yield _told(workers)
    finally:
        for worker in workers:
            worker.stop()


class Worker:
    """One of them. It has a group of its own: who stops a soak from the keyboard means the listener."""

    def __init__(self, part: Part, place: Path) -> None:
        self.words, telling = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_work, args=(part, place, telling.send))
        self._process.start()
        telling.close()  # its own end is the only one left: when it dies, that is heard

    def stop(self) -> None:
        """In good order: what it has started ends with it."""
        self._process.terminate()
        self._process.join()
        self.words.close()


def _told(workers: list[Worker]) -> Iterator[Counts]:
    listened_to: list[Connection] = [worker.words for worker in workers]
    while True:
        for words in wait(listened_to):
            assert isinstance(words, Connection)
            match _heard(words):
                case str() as wrong:
                    raise Violation(wrong)
                case counts:
                    yield counts


def _heard(words: Connection) -> Counts | str:
    try:
        counts_or_wrong: Counts | str = words.recv()
    except EOFError:
        return "a worker died"
    return counts_or_wrong


def _work(part: Part, place: Path, tell: Callable[[Counts | str], object]) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place.mkdir(parents=True)
    try:
        for counts in part.pieces(place):
            tell(counts)
    except KeyboardInterrupt:
        return
    except Violation as violation:
        tell(str(violation))
    except Exception:  # noqa: BLE001 - whatever it is, nothing may end like that
        tell(traceback.format_exc())
