"""Queues: looking at them, and administering them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from jobengine.client import values
from jobengine.client.calls.paths import queue_path, words
from jobengine.client.exchange import Call, Request, decoded
from jobengine.client.results import Bulk, Queue


class _Queues(Struct):
    queues: list[Queue]


_QUEUE: Final = msgspec.json.Decoder(Queue)
_QUEUES: Final = msgspec.json.Decoder(_Queues)
_BULK: Final = msgspec.json.Decoder(Bulk)


def queues() -> Call[list[Queue]]:
    """Those on which the caller has a right."""
    response = yield Request("GET", "/queues")
    return decoded(response, _QUEUES).queues


def queue(name: str) -> Call[Queue]:
    """One of them. Raises NotFound."""
    response = yield Request("GET", queue_path(name))
    return decoded(response, _QUEUE)


def put_queue(name: str, settings: Mapping[str, Any]) -> Call[Queue]:
    """Make a queue, or change one that was made so: `read`, `write`, and the options of the configuration.

    Needs the admin right. Raises Forbidden, ValidationFailed, BadState (it stands in the configuration).
    """
    response = yield Request("PUT", queue_path(name), values.json(settings))
    return decoded(response, _QUEUE)


def drop_queue(name: str) -> Call[None]:
    """Drop a queue that was made by put_queue, with its jobs. Needs the admin right."""
    yield Request("DELETE", queue_path(name), once=True)


def _steer(name: str, verb: str) -> Call[Queue]:
    response = yield Request("POST", queue_path(name, verb))
    return decoded(response, _QUEUE)


def pause_queue(name: str) -> Call[Queue]:
    """Hand out none of its jobs until it is resumed. Needs the admin right."""
    return _steer(name, "pause")


def resume_queue(name: str) -> Call[Queue]:
    """End a pause, and a drain. Needs the admin right."""
    return _steer(name, "resume")


def drain_queue(name: str) -> Call[Queue]:
    """Let no more jobs in. Needs the admin right."""
    return _steer(name, "drain")


def purge_queue(
    name: str,
    *,
    state: str | Sequence[str] | None = None,
    on_slice: Callable[[Bulk], object] = lambda _: None,
) -> Call[Bulk]:
    """Remove the queued jobs of a queue, or those in these states. Needs the admin right.

    It is done in slices, in one request each: `on_slice` hears what was done so far. A job that changes
    meanwhile is refused, and stays.
    """
    return _in_slices(name, "purge", values.said(state=words(state)), on_slice, once=False)


def redrive_queue(
    name: str, *, to: str | None = None, on_slice: Callable[[Bulk], object] = lambda _: None
) -> Call[Bulk]:
    """Send the jobs of a dead letter queue back to where they died, or to one queue.

    Needs the admin right. In slices, as purge_queue; what may not go there is refused, and stays.
    """
    return _in_slices(name, "redrive", values.said(to=to), on_slice, once=True)


def _in_slices(
    name: str, verb: str, asked: Mapping[str, object], on_slice: Callable[[Bulk], object], *, once: bool
) -> Call[Bulk]:
    total, cursor = Bulk(), None
    while True:
        body = values.json({**asked, **values.said(cursor=cursor)})
        response = yield Request("POST", queue_path(name, verb), body, once=once)
        done = decoded(response, _BULK)
        total, cursor = total + done, done.next_cursor
        on_slice(total)
        if cursor is None:
            return total
