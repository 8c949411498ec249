"""Who may do what. The one place that decides; it knows no HTTP."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from jobengine.errors import BadRequest, Forbidden, NotFound

EVERYONE: Final = "*"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Right(StrEnum):
    """What a service can be given on a queue, and on the broker."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    __hash__ = str.__hash__  # Enum's own is Python code, and rights are looked up for each request


ALL_RIGHTS: Final = frozenset(Right)
_TO_ADMINISTER: Final = frozenset({Right.ADMIN})
_NOBODY: Final[Mapping[str, frozenset[Right]]] = {}
DOCUMENTED_RIGHTS: Final = frozenset({Right.READ, Right.WRITE})  # those that API v1 knows


class Action(StrEnum):
    """What a caller wants to do. Also the kind of an operation in the metrics."""

    CREATE = "create"
    CLAIM = "claim"
    LIST = "list"
    GET = "get"
    UPDATE = "update"
    DELETE = "delete"
    SETTLE = "settle"
    FOLLOW = "follow"
    AMEND = "amend"
    CONTROL = "control"
    LOOK = "look"
    STEER = "steer"
    PURGE = "purge"
    REDRIVE = "redrive"
    BURY = "bury"  # let the dead letters of a queue go to another one
    CONFIGURE = "configure"
    SCRAPE = "scrape"

    __hash__ = str.__hash__


# Any one of the rights is enough. Who may only read may update what it claimed: the rules see to that.
RULES: Final[Mapping[Action, frozenset[Right]]] = {
    Action.CREATE: frozenset({Right.WRITE}),
    Action.CLAIM: frozenset({Right.READ}),
    Action.LIST: frozenset({Right.READ}),
    Action.GET: frozenset({Right.READ}),
    Action.UPDATE: frozenset({Right.WRITE, Right.READ}),
    Action.DELETE: frozenset({Right.WRITE}),
    Action.SETTLE: frozenset({Right.READ}),
    Action.FOLLOW: frozenset({Right.READ, Right.WRITE}),
    Action.AMEND: frozenset({Right.WRITE}),
    Action.CONTROL: frozenset({Right.WRITE}),
    Action.LOOK: ALL_RIGHTS,
    Action.STEER: frozenset({Right.ADMIN}),
    Action.PURGE: frozenset({Right.ADMIN}),
    Action.REDRIVE: frozenset({Right.ADMIN}),
    Action.BURY: frozenset({Right.WRITE, Right.ADMIN}),
    Action.CONFIGURE: frozenset({Right.ADMIN}),
    Action.SCRAPE: frozenset({Right.ADMIN}),
}


class QueueRights(Struct, frozen=True):
    """Which services may read from a queue, write to it, administer it; "*" stands for every one."""

    read: frozenset[str]
    write: frozenset[str]
    admin: frozenset[str] = frozenset()


class Access:
    """The rights that the configuration gives."""

    def __init__(self) -> None:
        self._queues: Mapping[str, QueueRights] = {}
        self._by_queue: Mapping[str, Mapping[str, frozenset[Right]]] = {}
        self._admins: frozenset[str] = frozenset()

    def configure(self, queues: Mapping[str, QueueRights], admins: Iterable[str]) -> None:
        """These rights hold from now on, and no others."""
        self._queues = dict(queues)
        self._admins = frozenset(admins)
        self._by_queue = {queue: _rights_by_service(rights, self._admins) for queue, rights in queues.items()}

    def rights(self, service: str, queue: str) -> frozenset[Right]:
        """What the service may do with the queue; with one that is not there, nothing but administer."""
        rights = self._by_queue.get(queue, _NOBODY).get(service)
        return self._unnamed(service, queue) if rights is None or service == EVERYONE else rights

    def given(self, queue: str) -> QueueRights | None:
        """Who may do what with a queue, when there is such a queue."""
        return self._queues.get(queue)

    def queues(self, service: str) -> list[str]:
        """The queues on which the service has any right."""
        return [queue for queue in self._queues if self.rights(service, queue)]

    def check(
        self, service: str, action: Action, queue: str, *, known: frozenset[Right] = ALL_RIGHTS
    ) -> frozenset[Right]:
        """The service's rights on the queue, when they allow the action. No other than `known` ones count.

        Raises NotFound for those with no right at all: for them the queue does not exist.
        Raises Forbidden for those with another right than the one needed.
        """
        rights = self.rights(service, queue)
        if known is not ALL_RIGHTS:
            rights &= known
        if not rights:
            raise NotFound
        if rights.isdisjoint(RULES[action]):
            if queue not in self._queues:
                raise NotFound
            needed = " or ".join(sorted(RULES[action]))
            raise Forbidden(f"to {action} needs the right to {needed}")
        return rights

    def check_admin(self, service: str, action: Action) -> None:
        """Raises Forbidden for a service that may not administer the broker."""
        if service not in self._admins:
            needed = " or ".join(sorted(RULES[action]))
            raise Forbidden(f"to {action} needs the right to {needed}")

    def _unnamed(self, service: str, queue: str) -> frozenset[Right]:
        """The rights of one that the queue does not name. Raises BadRequest for what is no service's name."""
        rights = self._by_queue.get(queue, _NOBODY).get(EVERYONE, frozenset())
        if rights and not _NAME.fullmatch(service):
            raise BadRequest("a service's name is 1 to 64 letters, digits, dots, dashes and underscores")
        return rights | _TO_ADMINISTER if service in self._admins else rights


def _rights_by_service(rights: QueueRights, admins: frozenset[str]) -> dict[str, frozenset[Right]]:
    """Of those that the queue names, and of everyone when it names "*"."""
    admin = rights.admin | admins - {EVERYONE}  # an admin of the broker is one by its own name only
    named = {Right.READ: rights.read, Right.WRITE: rights.write, Right.ADMIN: admin}
    return {
        service: frozenset(right for right, names in named.items() if service in names or EVERYONE in names)
        for service in rights.read | rights.write | rights.admin
    }
