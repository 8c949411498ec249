"""A disk that is looked at after each of its changes."""

from collections.abc import Callable
from threading import RLock
from typing import Any, Final

from tests.support.disk import SimulatedDisk

CHANGING: Final = frozenset(
    {"open", "write", "truncate", "sync", "sync_directory", "rename", "link", "remove"}
)


class ObservedDisk:
    """Passes calls on, one at a time, and tells of each that may have changed something."""

    def __init__(self, observe: Callable[[SimulatedDisk], object]) -> None:
        self.disk = SimulatedDisk()
        self._observe = observe
        self._lock = RLock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.disk, name)

        def locked(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                answer = call(*arguments, **named)
                if name in CHANGING:
                    self._observe(self.disk)
                return answer

        return locked
