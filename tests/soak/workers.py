"""Processes that each do pieces of one part, for as long as they are listened to."""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tests.soak.part import Part, Violation
from tests.soak.results import Counts

CONTEXT = get_context("fork")
TELL_SECONDS = 8.0  # that they have to clear up: to be told again would get in the way of that
STOP_SECONDS = 24.0  # until they are killed


@contextmanager
def working(part: Part, place: Path) -> Iterator[Iterator[Counts]]:
    """What each piece has counted, as it comes. It raises Violation."""
    number = (os.cpu_count() or 1) if part.is_random else 1
    workers = [Worker(part, place / str(each)) for each in range(number)]
    try:
        yield _told(workers)
    finally:
        stop_all(workers)


class Worker:
    """One of them. It has a group of its own: who stops a soak from the keyboard means the listener."""

    def __init__(self, part: Part, place: Path) -> None:
        self.words, telling = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_work, args=(part, place, telling.send))
        self._process.start()
        telling.close()  # its own end is the only one left: when it dies, that is heard

    def tell_to_stop(self) -> None:
        """In good order: what it has started ends with it."""
        self._process.terminate()

    def has_ended(self, *, within: float) -> bool:
        """Whether it has, after so many seconds at the latest."""
        self._process.join(within)
        return not self._process.is_alive()

    def close(self) -> None:
        """Kill what is left of it and of its group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.join()
        self.words.close()


def stop_all(workers: list[Worker]) -> None:
    """Tell them until they hear it: what they try may catch whatever is raised, this too. Then kill them."""
    left, end = workers, time.monotonic() + STOP_SECONDS
    while left and time.monotonic() < end:
        for worker in left:
            worker.tell_to_stop()
        left = [worker for worker in left if not worker.has_ended(within=TELL_SECONDS / len(left))]
    for worker in workers:
        worker.close()


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
