"""The life of a job: every legal move, and no other."""

from itertools import product

import pytest

from jobengine.errors import BadState
from jobengine.model.states import TRANSITIONS, Event, State, after

ALIVE = {State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED}
ENDED = {State.COMPLETE, State.FAILED}

# Written down a second time on purpose: from where each event may happen, and where it leads.
LIFE = {
    Event.CREATE: ({State.GONE}, State.QUEUED),
    Event.CLAIM: ({State.QUEUED}, State.INPROGRESS),
    Event.PUT_BACK: (ALIVE, State.QUEUED),
    Event.START: (ALIVE, State.INPROGRESS),
    Event.COMPLETE: (ALIVE, State.COMPLETE),
    Event.FAIL: (ALIVE, State.FAILED),
    Event.RELEASE: ({State.INPROGRESS}, State.QUEUED),
    Event.RETRY: ({State.INPROGRESS}, State.QUEUED),
    Event.TIME_OUT: ({State.INPROGRESS}, State.FAILED),
    Event.EXPIRE: ({State.QUEUED}, State.GONE),
    Event.EXPIRE_KEPT: ({State.QUEUED}, State.FAILED),
    Event.STOP: ({State.QUEUED, State.INPROGRESS}, State.FAILED),
    Event.REVIVE: (ALIVE - {State.INPROGRESS}, State.QUEUED),
    Event.BURY: ({State.FAILED}, State.QUEUED),
    Event.EXPIRE_LATE: (ALIVE - {State.QUEUED}, State.FAILED),
    Event.FORGET: (ENDED, State.GONE),
    Event.DELETE: (ALIVE, State.GONE),
}

MOVES = list(product(State, Event))


@pytest.mark.parametrize(("state", "event"), [move for move in MOVES if move[0] in LIFE[move[1]][0]])
def test_a_legal_move_leads_where_the_life_of_a_job_says(state: State, event: Event) -> None:
    assert after(state, event) is LIFE[event][1]


@pytest.mark.parametrize(("state", "event"), [move for move in MOVES if move[0] not in LIFE[move[1]][0]])
def test_an_unknown_move_is_refused(state: State, event: Event) -> None:
    with pytest.raises(BadState):
        after(state, event)


def test_the_table_holds_nothing_else() -> None:
    assert {(state, event) for event, (states, _) in LIFE.items() for state in states} == set(TRANSITIONS)
