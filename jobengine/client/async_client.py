"""The asynchronous client."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from jobengine.client.address import address
from jobengine.client.calls import claiming, controlling, creating, logs, looking, settling
from jobengine.client.calls import queues as of_queues
from jobengine.client.calls.logs import FOLLOW_SECONDS
from jobengine.client.exchange import Call
from jobengine.client.job import Job
from jobengine.client.patience import Patience, persistent
from jobengine.client.results import LogPiece, Page
from jobengine.client.session import Session
from jobengine.client.signatures import of_method

P = ParamSpec("P")
T = TypeVar("T")


def _awaited(call: Callable[P, Call[T]]) -> "Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]":
    """The call as a method to be awaited."""

    @wraps(call)
    async def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client.carry_out(call(*args, **kwargs))

    return of_method(method)


def _all_pages(call: Callable[P, Call[Page]]) -> "Callable[Concatenate[AsyncClient, P], AsyncIterator[Job]]":
    """The call as a method that goes on from page to page."""

    @wraps(call)
    async def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Job]:
        while True:
            page = await client.carry_out(call(*args, **kwargs))
            for job in page.jobs:
                yield job
            if page.next_cursor is None:
                return
            kwargs["cursor"] = page.next_cursor

    return of_method(method)


class AsyncClient:
    """Asks one broker in the name of one service, within one event loop."""

    def __init__(
        self,
        url: str | None = None,
        *,
        name: str | None = None,
        ca: str | Path | None = None,
        cert: str | Path | None = None,
        key: str | Path | None = None,
        retry_seconds: float = 30,
        answer_seconds: float = 30,
    ) -> None:
        """What is not given comes from JOBENGINE_URL, _NAME, _CA, _CERT and _KEY.

        After a first failure a request is repeated for `retry_seconds`. The broker may be silent for
        `answer_seconds`, beyond what it is asked to wait. Raises ConfigurationWrong.
        """
        self.address = address(url, name, ca=ca, cert=cert, key=key)
        self._patience = Patience(retry_seconds, self.address.url)
        self._session = Session(self.address, answer_seconds=answer_seconds)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self._session.close()

    create = _awaited(creating.create)
    create_many = _awaited(creating.create_many)
    create_uids = _awaited(creating.create_uids)

    claim = _awaited(claiming.claim)
    settle = _awaited(settling.settle)
    complete = _awaited(settling.complete)
    fail = _awaited(settling.fail)
    release = _awaited(settling.release)
    extend = _awaited(settling.extend)
    progress = _awaited(settling.progress)

    get = _awaited(looking.get)
    wait = _awaited(looking.wait)
    why = _awaited(looking.why)
    page = _awaited(looking.page)
    log_part = _awaited(logs.log_part)
    append_log = _awaited(logs.append_log)
    workers = _awaited(logs.workers)
    jobs = _all_pages(looking.page)

    update = _awaited(controlling.update)
    delete = _awaited(controlling.delete)
    stop = _awaited(controlling.stop)
    halt = _awaited(controlling.halt)
    resume = _awaited(controlling.resume)
    retry = _awaited(controlling.retry)
    move = _awaited(controlling.move)
    clone = _awaited(controlling.clone)
    bulk = _awaited(controlling.bulk)

    queues = _awaited(of_queues.queues)
    queue = _awaited(of_queues.queue)
    put_queue = _awaited(of_queues.put_queue)
    drop_queue = _awaited(of_queues.drop_queue)
    pause_queue = _awaited(of_queues.pause_queue)
    resume_queue = _awaited(of_queues.resume_queue)
    drain_queue = _awaited(of_queues.drain_queue)
    purge_queue = _awaited(of_queues.purge_queue)
    redrive_queue = _awaited(of_queues.redrive_queue)

    async def log(self, queue: str, uid: str, *, follow: bool = False) -> AsyncIterator[LogPiece]:
        """What a job has written; with `follow` until it has ended. Raises NotFound."""
        after: str | None = None
        while True:
            wait = FOLLOW_SECONDS if follow and after is not None else 0
            part = await self.log_part(queue, uid, after=after, wait=wait)
            for piece in part.pieces:
                yield piece
            if part.has_ended or not (follow or part.has_more):
                return
            after = part.position

    async def carry_out(self, call: Call[T], *, retry_seconds: float | None = None) -> T:
        """Do what a call of `jobengine.client.calls` asks for: its answer.

        `retry_seconds` is for this call; without it, those of the client count.
        """
        asking = persistent(call, self._patience.for_this_call(retry_seconds))
        try:
            request = next(asking)
            while True:
                if request.pause:
                    await asyncio.sleep(request.pause)
                request = asking.send(await self._session.send(request))
        except StopIteration as end:
            answer: T = end.value
            return answer
