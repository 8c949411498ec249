"""How a function ends, in the broker's words."""

import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from jobengine.client import values
from jobengine.client.job import Held
from jobengine.client.settlements import Completed, Failed, Released
from jobengine.client.values import Duration

TEXT_MOST: Final = 2000  # characters of an error that are kept
KIND_MOST: Final = 200

log = logging.getLogger("jobengine.worker")

Ending = Completed | Failed | Released


class Retry(Exception):
    """Raise it to have the job tried again after this delay, if it has attempts left."""

    def __init__(self, text: str = "", *, delay: Duration | None = None) -> None:
        super().__init__(text)
        self.delay = None if delay is None else float(values.seconds(delay))  # None: as the queue says


class Fail(Exception):
    """Raise it to have the job fail for good, whatever attempts it has left."""


class Release(Exception):
    """Raise it to give the job back: somebody else does it, after this delay, and this was no attempt."""

    def __init__(self, *, delay: Duration = 0) -> None:
        super().__init__()
        self.delay = float(values.seconds(delay))


def ending(held: Held, call: Callable[[], object]) -> Ending:
    """Do a job with a plain function: whatever it raises is its job's failure, and ends nothing else."""
    try:
        return _completed(held, call())
    except BaseException as error:  # noqa: BLE001  # sys.exit, and what test libraries raise
        return ending_by(held, error)


async def awaited_ending(held: Held, call: Callable[[], Awaitable[object]]) -> Ending:
    """Do a job with an asynchronous function. Raises CancelledError when it is cancelled."""
    try:
        return _completed(held, await call())
    except (CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # SystemExit would end the whole loop
        return ending_by(held, error)


def _completed(held: Held, result: object) -> Completed:
    return Completed(held, None if result is None else msgspec.Raw(values.json(result)))


def ending_by(held: Held, error: BaseException) -> Failed | Released:
    """What an exception says of the job."""
    text = _text(error)
    kind = type(error).__name__[:KIND_MOST]
    match error:
        case Release():
            return Released(held, error.delay)
        case Retry():
            return Failed(held, text, kind, retry=True, delay=error.delay)
        case Fail():
            return Failed(held, text, kind, retry=False)
        case CancelledError():
            return Failed(held, "its function cancelled itself", kind)
        case _:
            log.warning("job %s of %s failed", held.uid, held.queue, exc_info=error)
            return Failed(held, text, kind)


def _text(error: BaseException) -> str:
    """What it says, as JSON can say it: the name of a file may be no Unicode."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # not even that works
        return ""
    return text[:TEXT_MOST].encode(errors="replace").decode()
