"""What holders say of their jobs: of many at once, or of one."""

from typing import Any, Final

import msgspec

from jobengine.access import Action
from jobengine.errors import JobEngineError
from jobengine.model.commands import Extend, Outcome, Progress, Settle, Settlement, only
from jobengine.web.problems import V2_STATUSES, document
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2 import settlements as forms
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import read_body
from jobengine.web.v2.job import TO_ITS_HOLDER, TO_WHO_EXTENDS, shown
from jobengine.web.v2.preferences import Preferences, etag, preferences

JOBS_MOST_BYTES: Final = 8 * 1024 * 1024  # of one answer: the results behind these are without their jobs


class Settling:
    """POST /queues/{queue}/settle, and the same verbs for one job."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def settle(self, request: Request, variables: Variables) -> Reply:
        """Say something of many jobs; one that is refused does not hinder the others."""
        broker = self._broker
        caller = broker.caller(request, variables, Action.SETTLE)
        body: forms.SettleBody = await read_body(await broker.bodies.read(request), forms.settle_form)
        preferred = Preferences(minimal=preferences(request).minimal)  # there is nothing to wait for
        settlements = tuple(body.settlements())
        outcomes = await broker.engine.submit(Settle(caller.queue, settlements))
        results: list[bytes] = []
        size = 0
        for settlement, outcome in zip(settlements, outcomes, strict=True):
            minimal = preferred.minimal or size >= JOBS_MOST_BYTES
            results.append(await self._result(settlement, outcome, minimal=minimal))
            size += len(results[-1])
        return Reply(200, b'{"results":[%b]}' % b",".join(results), headers=preferred.applied)

    async def complete(self, request: Request, variables: Variables) -> Reply:
        """It is done."""
        return await self._settle_one(request, variables, forms.complete_form)

    async def fail(self, request: Request, variables: Variables) -> Reply:
        """It did not work."""
        return await self._settle_one(request, variables, forms.fail_form)

    async def release(self, request: Request, variables: Variables) -> Reply:
        """Let somebody else do it."""
        return await self._settle_one(request, variables, forms.release_form)

    async def extend(self, request: Request, variables: Variables) -> Reply:
        """It is still being done."""
        return await self._settle_one(request, variables, forms.extend_form)

    async def progress(self, request: Request, variables: Variables) -> Reply:
        """So far it has come."""
        return await self._settle_one(request, variables, forms.progress_form)

    async def _settle_one(
        self, request: Request, variables: Variables, form: msgspec.json.Decoder[Any]
    ) -> Reply:
        broker = self._broker
        caller = broker.caller(request, variables, Action.SETTLE)
        body = await read_body(await broker.bodies.read(request), form)
        settlement: Settlement = body.settlement(variables["uid"].lower())
        job = only(await broker.engine.submit(Settle(caller.queue, (settlement,))))
        how = TO_WHO_EXTENDS if isinstance(settlement, Extend | Progress) else TO_ITS_HOLDER
        return Reply(200, await shown(broker.engine, job, how), headers=etag(job))

    async def _result(self, settlement: Settlement, outcome: Outcome, *, minimal: bool) -> bytes:
        uid = settlement.uid.encode()
        if isinstance(outcome, JobEngineError):
            told = document(outcome, V2_STATUSES)
            return b'{"uid":"%b","status":%d,"problem":%b}' % (uid, told["status"], msgspec.json.encode(told))
        control = b""
        if isinstance(settlement, Extend | Progress):
            control = b',"control":"%b"' % outcome.more.asked.encode()
        if minimal:
            return b'{"uid":"%b","status":200%b}' % (uid, control)
        job = await shown(self._broker.engine, outcome, TO_ITS_HOLDER)
        return b'{"uid":"%b","status":200,"job":%b%b}' % (uid, job, control)
