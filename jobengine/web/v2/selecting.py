"""Which jobs of a queue are meant: by state, by filter, behind a cursor."""

from collections.abc import Collection

from msgspec import Struct

from jobengine.engine.interface import Engine
from jobengine.engine.pages import Page, Wanted, Wish
from jobengine.model.filters import Filter, parse
from jobengine.model.job import ARRIVAL_MASK, Job
from jobengine.model.order import LIVING
from jobengine.model.states import State
from jobengine.web.v2.cursor import Cursor


class Selection(Struct, frozen=True):
    """A part of a queue, as a caller names it."""

    queue: str
    states: tuple[State, ...]  # none: all
    filter: str | None
    cursor: str | None

    async def page(self, engine: Engine, most: int, *, only_older: bool = False) -> "Selected":
        """The next jobs of it. `only_older`: none that came into the queue since the first page.

        Raises NotFound, ValidationFailed.
        """
        cursor = Cursor.read(self.cursor, *self._wish)
        chosen = None if self.filter is None else parse(self.filter, engine.now())
        wish = Wish(
            self.queue,
            _states(self.states or LIVING, chosen),
            most,
            cursor.after,
            _wanted(chosen, cursor.before if only_older else 0),
            needs_content=chosen is not None and chosen.needs_content,
            needs_result=chosen is not None and chosen.needs_result,
        )
        page = await engine.page(wish)
        return Selected(page, cursor.before or page.next_arrival)

    def cursor_behind(self, selected: "Selected", job: Job | None = None) -> str | None:
        """Where the next page begins: behind this job, or behind the page; None when this was the last."""
        after = selected.page.after if job is None else job.order
        return None if after is None else Cursor(after, selected.before).text(*self._wish)

    @property
    def _wish(self) -> tuple[object, ...]:
        return self.queue, tuple(state.value for state in self.states), self.filter


class Selected(Struct, frozen=True):
    """A page, and what its cursor is to remember."""

    page: Page
    before: int


def _states(states: Collection[State], chosen: Filter | None) -> tuple[State, ...]:
    if chosen is None or chosen.states is None:
        return tuple(states)
    return tuple(state for state in states if state in chosen.states)


def _wanted(chosen: Filter | None, before: int) -> Wanted | None:
    """What is asked of each job."""
    if chosen is None and not before:
        return None

    def is_wanted(job: Job, content: bytes, result: bytes) -> bool:
        if before and job.order & ARRIVAL_MASK >= before:
            return False
        return chosen is None or chosen.matches(job, content, result)

    return is_wanted
