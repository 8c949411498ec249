"""Callers who wait for their answer: until it comes, they go, or the server stops."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

from jobengine.errors import Unavailable
from jobengine.web.request import Request

AnswerT = TypeVar("AnswerT")


class Patience:
    """Knows all who wait, so that a server that stops can send them away at once."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()
        self._is_over = False

    async def wait(self, request: Request, answer: Awaitable[AnswerT]) -> AnswerT:
        """The answer. What it waits for is cancelled when it is not wanted any more.

        Raises ConnectionError when the client is gone, Unavailable when the server stops.
        """
        try:
            is_over = self._is_over or request.transport is None  # it may have gone before anybody waited
            async with asyncio.timeout(0 if is_over else None) as timeout:
                self._waiting.add(timeout)
                request.on_gone = partial(_end, timeout)
                try:
                    return await answer
                finally:
                    request.on_gone = None
                    self._waiting.discard(timeout)
        except TimeoutError:
            if request.transport is None:
                raise ConnectionResetError("the client is gone") from None
            raise Unavailable("the server stops") from None

    def cut(self) -> None:
        """Let nobody wait any more: the server stops."""
        self._is_over = True
        for timeout in self._waiting:
            _end(timeout)


def _end(timeout: asyncio.Timeout) -> None:
    if not timeout.expired():
        timeout.reschedule(0)
