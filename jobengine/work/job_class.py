"""What a user writes to have jobs run as Python: one class for one kind of job."""

import threading
from collections.abc import Mapping
from typing import Any


class JobClass:
    """One attempt of one job, which the configuration names as `module:Class`.

    Only `start` must be written. Each method may be a plain one, which runs in a thread of its own, or
    `async`, which shares the event loop of the worker and must not hold it up. What they return or take goes
    into the database as JSON. Whatever they raise fails the job, with the name of the exception as its kind.
    """

    saved: Any = None  # what `halt` of an earlier run returned; set when the object has been made

    def __init__(self, args: Mapping[str, Any]) -> None:
        """`args` are those of the job. A ValueError says what is wrong with them: it is not tried again."""
        self.args = args
        self._ends = threading.Event()

    @property
    def is_to_end(self) -> bool:
        """Whether `start` is to return soon: somebody halts or stops the job, or its time is over."""
        return self._ends.is_set()

    def rest(self, seconds: float) -> bool:
        """Let so long pass in a thread, or less when it is to end. Whether it is to end."""
        return self._ends.wait(seconds)

    def end_soon(self) -> None:
        """Called before `halt` and `stop`."""
        self._ends.set()

    def start(self) -> Any:
        """Do the job, and return its result."""
        raise NotImplementedError

    def resume(self, saved: Any) -> Any:  # noqa: ARG002 - for those who write their own
        """Go on with what `halt` returned, perhaps in another process, and return the result."""
        return self.start()

    def halt(self) -> Any:
        """What `resume` needs to go on. `start` returns, or is cancelled, after it."""
        return None

    def stop(self) -> Any:
        """Come to an end, without a result. `start` returns, or is cancelled, after it.

        Of a job that is stopped while it is halted, a new object is told: it knows what was `saved`.
        """

    def clean(self) -> Any:
        """Take back what was done; called after `stop`."""

    def details(self) -> Mapping[str, Any] | None:
        """How far it has come, as others see it. Called about once a second; must be quick."""
        return None
