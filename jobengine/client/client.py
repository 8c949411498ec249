"""The blocking client."""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from jobengine.client.address import address
from jobengine.client.calls import claiming, controlling, creating, logs, looking, settling
from jobengine.client.calls import queues as of_queues
from jobengine.client.calls.logs import FOLLOW_SECONDS
from jobengine.client.exchange import Call
from jobengine.client.job import Job
from jobengine.client.patience import Patience, persistent
from jobengine.client.results import LogPiece, Page
from jobengine.client.signatures import of_method
from jobengine.client.sockets import Sockets

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(call: Callable[P, Call[T]]) -> "Callable[Concatenate[Client, P], T]":
    """The call as a method that returns what it answers."""

    @wraps(call)
    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.carry_out(call(*args, **kwargs))

    return of_method(method)


def _all_pages(call: Callable[P, Call[Page]]) -> "Callable[Concatenate[Client, P], Iterator[Job]]":
    """The call as a method that goes on from page to page."""

    @wraps(call)
    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Job]:
        while True:
            page = client.carry_out(call(*args, **kwargs))
            yield from page.jobs
            if page.next_cursor is None:
                return
            kwargs["cursor"] = page.next_cursor

    return of_method(method)


class Client:
    """Asks one broker in the name of one service. Many threads may share one."""

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
        self._sockets = Sockets(self.address, answer_seconds=answer_seconds)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._sockets.close()

    create = _blocking(creating.create)
    create_many = _blocking(creating.create_many)
    create_uids = _blocking(creating.create_uids)

    claim = _blocking(claiming.claim)
    settle = _blocking(settling.settle)
    complete = _blocking(settling.complete)
    fail = _blocking(settling.fail)
    release = _blocking(settling.release)
    extend = _blocking(settling.extend)
    progress = _blocking(settling.progress)

    get = _blocking(looking.get)
    wait = _blocking(looking.wait)
    why = _blocking(looking.why)
    page = _blocking(looking.page)
    log_part = _blocking(logs.log_part)
    append_log = _blocking(logs.append_log)
    workers = _blocking(logs.workers)
    jobs = _all_pages(looking.page)

    update = _blocking(controlling.update)
    delete = _blocking(controlling.delete)
    stop = _blocking(controlling.stop)
    halt = _blocking(controlling.halt)
    resume = _blocking(controlling.resume)
    retry = _blocking(controlling.retry)
    move = _blocking(controlling.move)
    clone = _blocking(controlling.clone)
    bulk = _blocking(controlling.bulk)

    queues = _blocking(of_queues.queues)
    queue = _blocking(of_queues.queue)
    put_queue = _blocking(of_queues.put_queue)
    drop_queue = _blocking(of_queues.drop_queue)
    pause_queue = _blocking(of_queues.pause_queue)
    resume_queue = _blocking(of_queues.resume_queue)
    drain_queue = _blocking(of_queues.drain_queue)
    purge_queue = _blocking(of_queues.purge_queue)
    redrive_queue = _blocking(of_queues.redrive_queue)

    def log(self, queue: str, uid: str, *, follow: bool = False) -> Iterator[LogPiece]:
        """What a job has written; with `follow` until it has ended. Raises NotFound."""
        after: str | None = None
        while True:
            wait = FOLLOW_SECONDS if follow and after is not None else 0
            part = self.log_part(queue, uid, after=after, wait=wait)
            yield from part.pieces
            if part.has_ended or not (follow or part.has_more):
                return
            after = part.position

    def carry_out(self, call: Call[T], *, retry_seconds: float | None = None) -> T:
        """Do what a call of `jobengine.client.calls` asks for: its answer.

        `retry_seconds` is for this call; without it, those of the client count.
        """
        asking = persistent(call, self._patience.for_this_call(retry_seconds))
        try:
            request = next(asking)
            while True:
                if request.pause:
                    time.sleep(request.pause)
                request = asking.send(self._sockets.send(request))
        except StopIteration as end:
            answer: T = end.value
            return answer
