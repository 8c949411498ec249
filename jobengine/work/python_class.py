"""The `python` runner: a class of the user's, in the worker's own process."""

import asyncio
import importlib
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from jobengine.client.worker.threads import Threads
from jobengine.errors import ConfigurationWrong
from jobengine.work.job_class import JobClass
from jobengine.work.outcome import Broken, Done, Halted, Kind, Outcome, Refused
from jobengine.work.runner import Runner
from jobengine.work.source import Claimed
from jobengine.work.wanted import wanted

GRACES: Final = 3  # the most that one end takes: to come to rest, to save what is needed, to end

log = structlog.get_logger(__name__)


class Wanted(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """The content of such a job."""

    class_: str
    args: dict[str, Any] = {}


_WANTED: Final = msgspec.json.Decoder(Wanted)


class Saved(msgspec.Struct, frozen=True):
    """What is kept of a run that was halted: that there was one, and what its `halt` returned."""

    halted: Any = None


def import_classes(names: Mapping[str, str]) -> dict[str, type[JobClass]]:
    """The classes of a configuration, by the names that jobs call them. Raises ConfigurationWrong."""
    return {name: _imported(name, path) for name, path in names.items()}


def _imported(name: str, path: str) -> type[JobClass]:
    module, _, attribute = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does when it is imported
        wrong = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ConfigurationWrong(f"run.classes.{name}: {path} cannot be imported ({wrong})") from None
    if not (isinstance(found, type) and issubclass(found, JobClass)):
        raise ConfigurationWrong(f"run.classes.{name}: {path} is no subclass of jobengine.JobClass")
    return found


class PythonRunner(Runner):
    """Runs one object of such a class."""

    def __init__(
        self,
        job: Claimed,
        classes: Mapping[str, type[JobClass]],
        threads: Threads,
        *,
        grace_seconds: float,
    ) -> None:
        """`grace_seconds` is for each thing that it is told at its end.

        Raises Refused for a job that names no class of these.
        """
        self._job = job
        self._threads = threads
        self._grace_seconds = grace_seconds
        self._started = time.monotonic()
        self._halting: asyncio.Future[Halted] | None = None
        self._is_stopped = False
        said = wanted(_WANTED, job.content, like='{"class", "args"}')
        found = classes.get(said.class_)
        if found is None:
            raise Refused(Kind.NOT_FOUND, "this queue has no class of that name")
        try:
            self._object = found(said.args)
            self._object.saved = _halted(job)
        except ValueError as error:
            raise Refused(Kind.CONTENT, _text(error)) from None
        except BaseException as error:  # noqa: BLE001 - it is the user's
            raise Refused(Kind.ERROR, _text(error), retry=None) from None

    async def start(self) -> None:
        """Begin, or go on with what an earlier run has left."""
        method: Callable[..., Any] = self._object.start
        arguments: tuple[Any, ...] = ()
        if (saved := self._object.saved) is not None:
            method, arguments = self._object.resume, (saved,)
        self._is_in_thread = not inspect.iscoroutinefunction(method)
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work = self._call(method, *arguments)
        self._work.add_done_callback(self._is_over)

    async def ended(self) -> Outcome:
        """Its result, or what it raised."""
        await self._over
        outcome = self._own_outcome() if self._work.done() else None
        if self._halting is not None:
            return await self._halting
        if self._is_stopped or outcome is None:
            return Broken(Kind.STOPPED, "it was stopped", self._result(None), retry=False)
        return outcome

    async def halt(self) -> Halted | None:
        """It ends here, with what it needs to go on elsewhere."""
        if self._work.done():
            return None
        self._halting = asyncio.get_running_loop().create_future()
        self._say_that_it_ends()
        if self._is_in_thread:  # what it has done is known when it has come to rest
            await asyncio.wait((self._work,), timeout=self._grace_seconds)
        halted = Halted(await self._saved())
        await self._end()
        self._halting.set_result(halted)
        return halted

    async def resume(self) -> None:
        """A halt that answered None: it has ended."""

    async def stop(self) -> None:
        """Tell it, and end it."""
        if not self._work.done() and not self._over.done():
            self._is_stopped = True
            self._say_that_it_ends()
            await self._quietly(self._object.stop)
            await self._end()

    async def stop_left(self) -> Broken:
        """Tell a new object, which knows what `halt` of the earlier one returned."""
        self._is_stopped = True
        self._say_that_it_ends()
        await self._quietly(self._object.stop)
        return await super().stop_left()  # how far the earlier one had come, the new one need not know

    async def clean(self) -> None:
        """After a stop: take back what it did."""
        if self._is_stopped:
            await self._quietly(self._object.clean)

    def details(self) -> dict[str, Any] | None:
        """As the object tells."""
        try:
            details = self._object.details()
            if details is None:
                return None
            msgspec.json.encode(told := dict(details))
        except BaseException:  # noqa: BLE001 - it is the user's
            return {}
        return told

    def _own_outcome(self) -> Outcome:
        """As it ended by itself."""
        try:
            value = self._work.result()
        except asyncio.CancelledError:
            return Broken("CancelledError", "it cancelled itself", self._result(None))
        except Exception as error:  # noqa: BLE001 - it is the user's
            return Broken(_kind(error), _text(error), self._result(None))
        try:
            return Done(self._result(value))
        except Exception as error:  # noqa: BLE001 - whatever its objects do when they are looked at
            return Broken(Kind.OUTPUT, f"its result is no JSON: {_text(error)}", retry=False)

    def _say_that_it_ends(self) -> None:
        try:
            self._object.end_soon()
        except BaseException as error:  # noqa: BLE001 - its __init__ did not call super().__init__, perhaps
            log.warning("end_soon_failed", uid=self._job.uid, reason=_text(error))

    async def _saved(self) -> bytes:
        """What it leaves for the next run. One that cannot tell begins anew."""
        try:
            return msgspec.json.encode(Saved(await self._within_grace(self._object.halt)))
        except Exception as error:  # noqa: BLE001 - it is the user's
            log.warning("halt_failed", uid=self._job.uid, reason=_text(error))
            return msgspec.json.encode(Saved())

    async def _quietly(self, method: Callable[[], Any]) -> None:
        try:
            await self._within_grace(method)
        except Exception:  # noqa: BLE001 - it is the user's, and there is nobody to tell
            return

    async def _within_grace(self, method: Callable[[], Any]) -> Any:
        """What it returns. Raises what it raises, and TimeoutError: then it is left behind."""
        work = self._call(method)
        await asyncio.wait((work,), timeout=self._grace_seconds)
        if work.done() and not work.cancelled():
            return work.result()
        work.cancel()
        raise TimeoutError

    async def _end(self) -> None:
        """Cancel what is asynchronous; wait for a while for a thread, or for what is not cancelled."""
        if self._is_in_thread:
            await asyncio.wait((self._work,), timeout=self._grace_seconds)
        self._work.cancel()
        await asyncio.wait((self._work,), timeout=self._grace_seconds)
        self._is_over()

    def _is_over(self, _work: object = None) -> None:
        """It has ended, or is left behind."""
        if not self._over.done():
            self._over.set_result(None)

    def _call(self, method: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        if inspect.iscoroutinefunction(method):
            work: asyncio.Future[Any] = asyncio.ensure_future(_awaited(method, *arguments))
            return work
        return asyncio.wrap_future(self._threads.begin(partial(_called, method, *arguments)))

    def _result(self, value: Any) -> bytes:
        seconds = time.monotonic() - self._started
        result = {"result": value, "details": self.details(), "seconds": round(seconds, 6)}
        return msgspec.json.encode(result)


def _halted(job: Claimed) -> Any:
    """What `halt` of an earlier run returned; None when there was none."""
    try:
        return None if job.saved is None else msgspec.json.decode(job.saved, type=Saved).halted
    except msgspec.ValidationError:
        return None  # left by something else


class _Exit(Exception):
    """In the place of what is raised to end a whole program, by `sys.exit` for example, or a loop."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.kind = type(error).__name__


def _called(method: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return method(*arguments)
    except StopIteration as error:  # no future of asyncio can hold it
        raise _Exit(error) from None
    except Exception:
        raise
    except BaseException as error:  # noqa: BLE001 - the job is to end, and nothing else
        raise _Exit(error) from None


async def _awaited(method: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    try:
        return await method(*arguments)
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001 - the job is to end, and nothing else
        raise _Exit(error) from None


def _kind(error: Exception) -> str:
    return error.kind if isinstance(error, _Exit) else type(error).__name__


def _text(error: BaseException) -> str:
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - not even that works
        return type(error).__name__
