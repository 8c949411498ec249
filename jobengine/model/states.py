"""The life of a job. Every legal move is in TRANSITIONS, and nowhere else."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from jobengine.errors import BadState


class State(StrEnum):
    """Where a job is in its life. `GONE` is before and after it: no such job."""

    QUEUED = "queued"
    INPROGRESS = "inprogress"
    COMPLETE = "complete"
    FAILED = "failed"
    GONE = "gone"

    # Enum's own is Python code, and states are looked up several times a command.
    __hash__ = str.__hash__


class Event(StrEnum):
    """What can happen to a job."""

    CREATE = "create"
    CLAIM = "claim"
    PUT_BACK = "put_back"  # an update to queued
    START = "start"  # an update to inprogress: a lease without a claim
    COMPLETE = "complete"
    FAIL = "fail"
    RELEASE = "release"  # its holder lets somebody else do it
    RETRY = "retry"  # an attempt failed, or its lease ran out, and attempts are left
    TIME_OUT = "time_out"  # the lease ran out, and none are left
    EXPIRE = "expire"  # queued past its end
    EXPIRE_KEPT = "expire_kept"  # queued past its end, in a queue that keeps such jobs: it fails
    EXPIRE_LATE = "expire_late"  # given back past its end: it fails, it does not vanish
    STOP = "stop"  # somebody does not want it done
    REVIVE = "revive"  # it had ended, and is to be done again
    BURY = "bury"  # it failed for good, and becomes a dead letter
    FORGET = "forget"  # complete or failed, and kept long enough
    DELETE = "delete"

    __hash__ = str.__hash__


_ANY = (State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED)

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.GONE, Event.CREATE): State.QUEUED,
    (State.QUEUED, Event.CLAIM): State.INPROGRESS,
    (State.INPROGRESS, Event.RETRY): State.QUEUED,
    (State.INPROGRESS, Event.TIME_OUT): State.FAILED,
    (State.INPROGRESS, Event.RELEASE): State.QUEUED,
    (State.QUEUED, Event.EXPIRE): State.GONE,
    (State.QUEUED, Event.EXPIRE_KEPT): State.FAILED,
    (State.QUEUED, Event.STOP): State.FAILED,
    (State.INPROGRESS, Event.STOP): State.FAILED,
    (State.COMPLETE, Event.REVIVE): State.QUEUED,
    (State.FAILED, Event.REVIVE): State.QUEUED,
    (State.QUEUED, Event.REVIVE): State.QUEUED,  # a dead letter that goes back
    (State.FAILED, Event.BURY): State.QUEUED,
    (State.COMPLETE, Event.FORGET): State.GONE,
    (State.FAILED, Event.FORGET): State.GONE,
    # An update of API v1 may set any status from any.
    **{(state, Event.PUT_BACK): State.QUEUED for state in _ANY},
    **{(state, Event.START): State.INPROGRESS for state in _ANY},
    **{(state, Event.COMPLETE): State.COMPLETE for state in _ANY},
    **{(state, Event.FAIL): State.FAILED for state in _ANY},
    **{(state, Event.EXPIRE_LATE): State.FAILED for state in _ANY if state is not State.QUEUED},
    **{(state, Event.DELETE): State.GONE for state in _ANY},
}


def after(state: State, event: Event) -> State:
    """The state that `event` leads to.

    Raises BadState for a move that is not in the table.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise BadState(f"a job that is {state} cannot {event.replace('_', ' ')}")
    return following
