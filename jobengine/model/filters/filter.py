"""A filter, once it was read."""

from msgspec import Struct

from jobengine.model.filters.conditions import ALL_STATES, Condition
from jobengine.model.filters.look import Look
from jobengine.model.filters.parser import Parser
from jobengine.model.job import Job
from jobengine.model.states import State


class Filter(Struct, frozen=True):
    """Says of any job whether it is wanted."""

    condition: Condition
    needs_content: bool  # else `matches` may be given b""
    needs_result: bool  # the same
    states: frozenset[State] | None  # those in which a job can be wanted; None: any

    def matches(self, job: Job, content: bytes, result: bytes) -> bool:
        """Whether the job, with these values of it (JSON; b"" where there is none), is wanted."""
        return self.condition.holds(Look(job, content, result))


def parse(text: str, now: int) -> Filter:
    """Read a filter; `now` (ms since the Unix epoch) is what it calls so. Raises FilterWrong."""
    parser = Parser(text, now)
    condition = parser.condition()
    return Filter(
        condition=condition,
        needs_content="content" in parser.documents,
        needs_result="result" in parser.documents,
        states=None if condition.states == ALL_STATES else condition.states,
    )
