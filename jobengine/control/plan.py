"""What an edit of the configuration would do to the running server."""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from msgspec import Struct, structs

from jobengine.settings.option import QUEUE
from jobengine.settings.options import OPTIONS
from jobengine.settings.schema import EVERYONE, QueueSettings, Settings
from jobengine.settings.watch import restart_needed
from jobengine.settings.writing import written

_RIGHTS: Final = ("read", "write", "admin")


class Difference(Struct, frozen=True):
    """A setting of a queue that would change."""

    queue: str
    setting: str
    before: str  # as it is written in the file
    after: str


class Grant(Struct, frozen=True):
    """That a service may do something."""

    service: str  # "*": every one that is not named
    right: str
    queue: str | None = None  # None: of the whole server


class Edit(Struct, frozen=True):
    """All that an edit would do. Jobs are counted as they are now."""

    added: tuple[str, ...]
    dropped: dict[str, int]  # queue → how many jobs would go with it
    changed: tuple[Difference, ...]
    rights_lost: tuple[Grant, ...]  # of queues that stay
    rights_gained: tuple[Grant, ...]
    needs_restart: tuple[str, ...]  # options that differ, and are taken up by a restart only

    @property
    def is_nothing(self) -> bool:
        """Whether everything would be as it is."""
        return not any(structs.astuple(self))


def plan(*, started_with: Settings, running: Settings, wanted: Settings, jobs: Mapping[str, int]) -> Edit:
    """Compare what holds now with what is wanted; `jobs` is how many each queue holds."""
    before = {queue.name: queue for queue in running.queues}
    after = {queue.name: queue for queue in wanted.queues}
    both = [(before[name], after[name]) for name in before if name in after]
    return Edit(
        added=tuple(name for name in after if name not in before),
        dropped={name: jobs.get(name, 0) for name in before if name not in after},
        changed=tuple(difference for old, new in both for difference in _differences(old, new)),
        rights_lost=tuple(_lost(both, running.admin, wanted.admin)),
        rights_gained=tuple(_lost([(new, old) for old, new in both], wanted.admin, running.admin)),
        needs_restart=tuple(restart_needed(started_with, wanted)),
    )


def _differences(before: QueueSettings, after: QueueSettings) -> Iterator[Difference]:
    for option in OPTIONS:
        if not option.path.startswith(f"{QUEUE}."):
            continue
        name = option.path.removeprefix(f"{QUEUE}.")
        old, new = attrgetter(name)(before), attrgetter(name)(after)
        if name not in _RIGHTS and old != new:
            yield Difference(before.name, name, written(option.kind, old), written(option.kind, new))


def _lost(
    queues: Iterable[tuple[QueueSettings, QueueSettings]], admins: frozenset[str], admins_left: frozenset[str]
) -> Iterator[Grant]:
    """The rights that stand in the first of each pair and not in the second."""
    for before, after in queues:
        for right in _RIGHTS:
            had, has = getattr(before, right), getattr(after, right)
            # Who is not named any more still has the right when every service has it.
            yield from (Grant(name, right, before.name) for name in sorted(had - has) if EVERYONE not in has)
    yield from (Grant(name, "admin") for name in sorted(admins - admins_left))
