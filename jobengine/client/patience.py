"""When a request is sent again, and after how long."""

import random
import time
from collections.abc import Callable, Generator, Iterator
from http import HTTPStatus
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from jobengine.client.exchange import Call, Request, Response, T, Unanswered
from jobengine.client.refusals import refusal
from jobengine.errors import JobEngineError, LeaseLost, NotFound, OutcomeUnknown, Unreachable

FIRST_PAUSE_SECONDS: Final = 0.1
MOST_PAUSE_SECONDS: Final = 5.0

# Nothing was done, and later it may be.
_REFUSED_FOR_NOW: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# A proxy answered: nobody knows what the broker did.
_LOST_ON_THE_WAY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


Steps = Generator[Request, Response | Unanswered, T]


class Patience(Struct, frozen=True):
    """How long to go on after a first failure."""

    seconds: float
    where: str  # the address that is asked, for whoever reads the error
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random  # 0 to 1: clients that failed together return apart

    def for_this_call(self, seconds: float | None) -> "Patience":
        """With so much; None is as much as ever."""
        return self if seconds is None else replace(self, seconds=seconds)


def persistent(call: Call[T], patience: Patience) -> Steps[T]:
    """All requests of a call, those that must be repeated included.

    Raises the refusals of errors.py; Unreachable when nobody answers; OutcomeUnknown when an answer was lost
    and the request must not be repeated.
    """
    try:
        request = next(call)
        while True:
            request = call.send((yield from _answered(request, patience)))
    except StopIteration as end:
        result: T = end.value
        return result


def _answered(request: Request, patience: Patience) -> Steps[Response]:
    outcome = yield request
    end = patience.clock() + patience.seconds
    pauses = _pauses(patience)
    was_lost = False
    while not isinstance(outcome, Response) or outcome.status >= HTTPStatus.MULTIPLE_CHOICES:
        error = _error(request, outcome, patience)
        if was_lost and isinstance(error, LeaseLost | NotFound):
            _say_that_it_may_be_done(error)
        was_lost = was_lost or _may_have_been_done(outcome)
        pause = max(next(pauses), _asked_pause(outcome))
        if not _may_be_repeated(request, outcome, error) or patience.clock() + pause > end:
            raise error
        outcome = yield replace(request, pause=pause)
    return outcome


def _pauses(patience: Patience) -> Iterator[float]:
    """Growing, each shortened by up to a half."""
    longest = FIRST_PAUSE_SECONDS
    while True:
        yield longest * (1 - patience.jitter() / 2)
        longest = min(longest * 2, MOST_PAUSE_SECONDS)


def _may_be_repeated(request: Request, outcome: Response | Unanswered, error: JobEngineError) -> bool:
    if isinstance(outcome, Unanswered):
        return not (request.once and outcome.was_sent)
    if outcome.status in _REFUSED_FOR_NOW:
        return not (request.once and isinstance(error, OutcomeUnknown))
    return outcome.status in _LOST_ON_THE_WAY and not request.once


def _may_have_been_done(outcome: Response | Unanswered) -> bool:
    return outcome.was_sent if isinstance(outcome, Unanswered) else outcome.status in _LOST_ON_THE_WAY


def _say_that_it_may_be_done(error: JobEngineError) -> None:
    error.detail = f"{error.detail}; or the request before, whose answer was lost, has done it"
    error.args = (error.detail,)


def _error(request: Request, outcome: Response | Unanswered, patience: Patience) -> JobEngineError:
    if request.once and _may_have_been_done(outcome):
        return OutcomeUnknown(
            f"the answer was lost ({_lost(outcome)}): it may have been done; look, then repeat"
        )
    if isinstance(outcome, Response):
        return refusal(outcome)
    advice = outcome.advice or "is the broker running there?"
    return Unreachable(f"nobody answers at {patience.where} ({outcome.reason}): {advice}")


def _lost(outcome: Response | Unanswered) -> str:
    if isinstance(outcome, Response):
        return f"a proxy answered {outcome.status}"
    return f"{outcome.reason}: {outcome.advice}" if outcome.advice else outcome.reason


def _asked_pause(outcome: Response | Unanswered) -> float:
    """What Retry-After says, in seconds."""
    if isinstance(outcome, Unanswered):
        return 0
    text = outcome.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0
