"""The `slurm` runner: follows one job of Slurm's, which does not end with the worker."""

import asyncio
from typing import Any

import structlog
from msgspec import ValidationError, json

from jobengine.work.outcome import Broken, Halted, Kind, Outcome, Refused
from jobengine.work.runner import Runner
from jobengine.work.slurm.job import Saved, SlurmJob, Unreachable
from jobengine.work.source import Claimed

log = structlog.get_logger(__name__)


class SlurmRunner(Runner):
    """Looks at it from time to time."""

    def __init__(
        self, job: Claimed, slurm_job: SlurmJob, *, poll_seconds: float, stop_seconds: float
    ) -> None:
        """`stop_seconds` is how long one that is stopped is waited for."""
        self._uid = job.uid
        self._before = _saved(job)
        self._job = slurm_job
        self._poll_seconds = poll_seconds
        self._stop_seconds = stop_seconds
        self._is_left = False
        self._is_stopped = False
        self._may_run_on = False  # nobody has seen it end

    async def start(self) -> None:
        """Submit it, or go on with what an earlier worker has left. Raises Refused."""
        self._saved = await self._gone_on() or await self._job.submit()
        self._following = asyncio.create_task(self._follow())

    async def ended(self) -> Outcome:
        """Its outcome, with what it left."""
        await asyncio.wait((self._following,))
        if self._is_left:
            return self._halted()
        if self._following.cancelled():
            text = "it was stopped; nobody has seen it end" if self._may_run_on else "it was stopped"
            return Broken(Kind.STOPPED, text, self._short_result(), retry=False)
        outcome = self._following.result()
        if self._is_stopped and isinstance(outcome, Broken):
            return Broken(Kind.STOPPED, "it was stopped", outcome.result, retry=False)
        return outcome

    async def halt(self) -> Halted | None:
        """Let it stand still there; where that is not to be had, look at it no more until it is resumed."""
        return None if await self._job.suspend() else await self.leave()

    async def leave(self) -> Halted | None:
        """The worker ends, and the job does not: the next worker goes on with it."""
        if self._following.done():
            return None
        self._is_left = True
        await self._stop_following()
        return self._halted()

    async def resume(self) -> None:
        """Go on."""
        await self._job.resume()

    async def stop(self) -> None:
        """Cancel it, and wait for its end for a while."""
        if self._following.done():
            return
        self._is_stopped = True
        try:
            async with asyncio.timeout(self._stop_seconds):
                await self._cancel()
        except TimeoutError:
            self._may_run_on = True
            log.warning("slurm_job_not_ended", slurm_id=self._saved.slurm_id, directory=self._saved.directory)
        await self._stop_following()

    async def stop_left(self) -> Broken:
        """Cancel what an earlier worker has left."""
        try:
            async with asyncio.timeout(self._stop_seconds):
                saved = await self._gone_on_in_the_end()
        except TimeoutError:
            self._is_left = True
            text = "it was stopped; Slurm cannot be reached, and may run it on"
            return Broken(Kind.STOPPED, text, retry=False)
        self._is_left = False
        if saved is None:
            return await super().stop_left()
        self._saved = saved
        self._following = asyncio.create_task(self._follow())
        await self.stop()
        left = await self.ended()
        return left if isinstance(left, Broken) else Broken(Kind.STOPPED, "it was stopped", retry=False)

    async def clean(self) -> None:
        """Leave nothing behind, if nobody is to go on with it."""
        await self._job.clean(is_over=not self._is_left and not self._may_run_on)

    def details(self) -> dict[str, Any] | None:
        """Its number, and what there is of its result."""
        return self._job.details()

    async def _gone_on(self) -> Saved | None:
        """What an earlier worker has left, if it can be gone on with. Raises Refused."""
        try:
            is_it = self._before is not None and await self._job.go_on(self._before)
        except (OSError, Unreachable) as error:
            self._is_left = True  # the next one goes on with it
            raise Refused(Kind.NOT_STARTED, f"it could not be gone on with: {error}", retry=None) from None
        return self._before if is_it else None

    async def _gone_on_in_the_end(self) -> Saved | None:
        """The same, however long Slurm cannot be reached."""
        while True:
            try:
                return await self._gone_on()
            except Refused as refused:
                log.warning("slurm_unreachable", uid=self._uid, reason=refused.broken.text)
                await asyncio.sleep(max(self._poll_seconds, 1))

    async def _cancel(self) -> None:
        """Until it has ended; where that cannot be had, it is not waited for."""
        while not self._following.done():
            try:
                if not await self._job.cancel():
                    return
            except Unreachable as error:
                log.warning("slurm_unreachable", slurm_id=self._saved.slurm_id, reason=str(error))
            await asyncio.wait((self._following,), timeout=max(self._poll_seconds, 1))

    async def _follow(self) -> Outcome:
        while True:
            try:
                if (outcome := await self._job.look()) is not None:
                    return outcome
            except Unreachable as error:
                log.warning("slurm_unreachable", slurm_id=self._saved.slurm_id, reason=str(error))
            await asyncio.sleep(self._poll_seconds)

    async def _stop_following(self) -> None:
        self._following.cancel()
        await asyncio.wait((self._following,))

    def _halted(self) -> Halted:
        return Halted(json.encode(self._saved))

    def _short_result(self) -> bytes:
        return json.encode({"slurm_id": self._saved.slurm_id})


def _saved(job: Claimed) -> Saved | None:
    try:
        return None if job.saved is None else json.decode(job.saved, type=Saved)
    except ValidationError:
        return None  # left by something else
