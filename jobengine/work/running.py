"""One job while it is run: what it does, what is wanted of it, and how long it may take."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from jobengine.errors import JobEngineError
from jobengine.work.outcome import Broken, GivenBack, Halted, Kind, Outcome, Refused
from jobengine.work.runner import Runner
from jobengine.work.source import Asked, Claimed, Source
from jobengine.work.stopwatch import Stopwatch

DETAILS_SECONDS: Final = 1.0  # between two looks at how far it has come
REFUSED_SECONDS: Final = 1.0  # before what was refused is asked again


class Running:
    """One attempt of one job. `run` sees it through; all else may be called meanwhile."""

    def __init__(
        self,
        job: Claimed,
        make: Callable[[], Runner],
        source: Source,
        *,
        timeout_seconds: float,
        stop_seconds: float = 0.0,
    ) -> None:
        """`make` may raise Refused. `stop_seconds` is how long its stop takes at most."""
        self.job = job
        self.stop_seconds = stop_seconds
        self._make: Callable[[], Runner] | None = make
        self._source = source
        self._watch = Stopwatch(timeout_seconds, clock=asyncio.get_running_loop().time)
        self._listening: tuple[asyncio.Task[None], ...] = ()
        self._asked = job.asked
        self._is_to_go = False  # the worker ends, and gives it back
        self._is_halted = False
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ask(self, asked: Asked) -> None:
        """The broker wants this of it."""
        if asked is not self._asked:
            self._asked = asked
            self._wake()

    def give_back(self) -> None:
        """The worker ends: somebody else is to run it."""
        self._is_to_go = True
        self._wake()

    async def run(self) -> Outcome | None:
        """See it through. None when it is not held any more: nobody wants to know."""
        try:
            self._runner = self._made()
        except Refused as refused:
            return refused.broken
        if self.job.asked is Asked.STOP:
            return await self._stop_left()
        try:
            await self._runner.start()
        except BaseException as error:
            await self._runner.clean()
            if isinstance(error, Refused):
                return error.broken
            raise
        ending = asyncio.ensure_future(self._runner.ended())
        try:
            return await self._see_through(ending)
        finally:
            try:
                if not ending.done():
                    await self._runner.stop()
                    await ending
            finally:
                await self._runner.clean()

    def _made(self) -> Runner:
        """Its runner, which alone holds from then on what the job brought: that may be an archive."""
        make, self._make = self._make, None
        if make is None:
            raise RuntimeError("it is run once")
        self.job = self.job.without_values()
        return make()

    async def _stop_left(self) -> Outcome:
        """It was stopped between two runs. That takes as long as any stop, and is not broken off."""
        try:
            return await self._runner.stop_left()
        finally:
            await self._runner.clean()

    async def _see_through(self, ending: asyncio.Future[Outcome]) -> Outcome | None:
        self._watch.start()
        ending.add_done_callback(self._wake)
        while True:
            await self._something_happens()
            if ending.done():
                return ending.result()
            self._news = asyncio.get_running_loop().create_future()
            if self._asked is Asked.GONE:
                return None
            if self._asked is Asked.STOP:
                return await self._stopped(ending, Broken(Kind.STOPPED, "it was stopped", retry=False))
            if self._watch.is_over:
                seconds = f"{self._watch.seconds:g} s"
                return await self._stopped(ending, Broken(Kind.TIMEOUT, f"it ran for longer than {seconds}"))
            if self._is_to_go:
                return await self._let_go(ending)
            if (halted := await self._obey()) is not None:
                return halted

    async def _something_happens(self) -> None:
        """It ends, something else is wanted of it, or its time is over."""
        left = self._watch.left
        alarm = None if left is None else asyncio.get_running_loop().call_later(left, self._wake)
        try:
            await self._news
        finally:
            if alarm is not None:
                alarm.cancel()

    def _wake(self, _ended: object = None) -> None:
        if not self._news.done():
            self._news.set_result(None)

    async def _obey(self) -> Halted | None:
        """Halt it, or let it go on."""
        if self._asked is Asked.HALT and not self._is_halted:
            self._watch.stop()
            self._is_halted = True
            return await self._runner.halt()
        if self._asked is Asked.RUN and self._is_halted:
            await self._runner.resume()
            self._is_halted = False
            self._watch.start()
        return None

    async def _stopped(self, ending: asyncio.Future[Outcome], reason: Broken) -> Broken:
        """End it for this reason, and keep what it left."""
        await self._runner.stop()
        left = await ending
        return msgspec.structs.replace(reason, result=getattr(left, "result", None))

    async def _let_go(self, ending: asyncio.Future[Outcome]) -> Outcome:
        """What can be told how far it has come goes on from there; all else begins anew."""
        if (halted := await self._runner.leave()) is not None:
            return halted
        await self._runner.stop()
        outcome = await ending
        return GivenBack() if isinstance(outcome, Broken) else outcome

    # --- beside it, for one that runs for a while ---

    def listen(self, renew: Callable[[Sequence["Running"]], Awaitable[object]]) -> None:
        """Hear at once what is wanted of it, and tell how far it has come."""
        self._listening = (
            asyncio.create_task(self._hear(renew)),
            asyncio.create_task(self._tell_details()),
        )

    def listen_no_more(self) -> None:
        """It has ended."""
        listening, self._listening = self._listening, ()  # they know this: with them it would be garbage late
        for task in listening:
            task.cancel()

    async def _hear(self, renew: Callable[[Sequence["Running"]], Awaitable[object]]) -> None:
        while self._asked is not Asked.GONE:  # of one that is gone it is told at once, again and again
            try:
                await self._source.changed(self.job, self._asked)
                await renew((self,))
            except JobEngineError:  # at once, perhaps, and again and again: nothing else would get a turn
                await asyncio.sleep(REFUSED_SECONDS)

    async def _tell_details(self) -> None:
        told: bytes | None = None
        while True:
            await asyncio.sleep(DETAILS_SECONDS)
            if (details := self._runner.details()) is None:
                return
            if (written := msgspec.json.encode(details)) != told:
                with suppress(JobEngineError):  # of no importance, and soon there is more
                    await self._source.progress(self.job, written)
                told = written
