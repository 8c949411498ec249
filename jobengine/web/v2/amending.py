"""What a writer changes of one job, and its removal."""

from typing import Final

from msgspec import UNSET, Raw, Struct, UnsetType

from jobengine.access import Action
from jobengine.model.commands import Act, Amend, Control, only
from jobengine.model.job import NEVER
from jobengine.web.reply import NO_CONTENT, Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import decoder, read_body
from jobengine.web.v2.durations import Delay, Time, Timeout, ValidFor
from jobengine.web.v2.job import shown
from jobengine.web.v2.preferences import etag, expected_version, expected_versions
from jobengine.web.v2.values import Attempts, BackoffBody, Priority, Tags, backoff_of


class AmendBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed. null takes away an end, a not_before, a limit, or a backoff."""

    content: Raw | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    expires: Time | UnsetType | None = UNSET
    valid_for: ValidFor | UnsetType | None = UNSET  # from now on
    not_before: Time | UnsetType | None = UNSET
    delay: Delay | UnsetType = UNSET  # from now on
    max_attempts: Attempts | UnsetType | None = UNSET
    timeout: Timeout | UnsetType | None = UNSET
    backoff: BackoffBody | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raises ValueError when nothing is named, or two fields contradict each other."""
        if all(getattr(self, name) is UNSET for name in self.__struct_fields__):
            raise ValueError(f"names none of {', '.join(self.__struct_fields__)}")
        if self.expires is not UNSET and self.valid_for is not UNSET:
            raise ValueError("names expires and valid_for: one of them says it all")
        if self.not_before is not UNSET and self.delay is not UNSET:
            raise ValueError("names not_before and delay: one of them says it all")

    def command(self, queue: str, uid: str, version: int | None, now: int) -> Amend:
        """As the model has it."""
        return Amend(
            queue,
            uid,
            version,
            content=UNSET if self.content is UNSET else bytes(self.content),
            priority=self.priority,
            expires=self._expires(now),
            not_before=self._not_before(now),
            max_attempts=UNSET if self.max_attempts is UNSET else self.max_attempts or 0,
            timeout=UNSET if self.timeout is UNSET else int(self.timeout or 0),
            backoff=UNSET if self.backoff is UNSET else backoff_of(self.backoff),
            tags=UNSET if self.tags is UNSET else tuple(dict.fromkeys(self.tags)),
        )

    def _expires(self, now: int) -> int | UnsetType:
        if self.valid_for is not UNSET:
            return NEVER if self.valid_for is None else now + self.valid_for
        if self.expires is not UNSET:
            return NEVER if self.expires is None else int(self.expires)
        return UNSET

    def _not_before(self, now: int) -> int | UnsetType:
        if self.delay is not UNSET:
            return now + self.delay
        return UNSET if self.not_before is UNSET else int(self.not_before or 0)


amend_form: Final = decoder(AmendBody)


class Amending:
    """PATCH and DELETE /queues/{queue}/jobs/{uid}."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def amend(self, request: Request, variables: Variables) -> Reply:
        """Change what is named of a job, all or nothing."""
        broker = self._broker
        caller = broker.caller(request, variables, Action.AMEND)
        body: AmendBody = await read_body(await broker.bodies.read(request), amend_form)
        version = expected_version(request)
        command = body.command(caller.queue, variables["uid"].lower(), version, broker.engine.now())
        job = await broker.engine.submit(command)
        return Reply(200, await shown(broker.engine, job), headers=etag(job))

    async def delete(self, request: Request, variables: Variables) -> Reply:
        """Remove a job, whatever its state."""
        caller = self._broker.caller(request, variables, Action.DELETE)
        uids = (variables["uid"].lower(),)
        delete = Control(caller.queue, uids, Act.DELETE, versions=expected_versions(request))
        only(await self._broker.engine.submit(delete))
        return Reply(NO_CONTENT)
