"""The two clients, asked alike."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest

from jobengine import AsyncClient, Client


def ask_blocking(url: str, *asks: Callable[[Any], Any], name: str = "tester", **options: Any) -> Any:
    """The last answer of a client."""
    with Client(url, name=name, **options) as client:
        return [ask(client) for ask in asks][-1]


def ask_asynchronous(url: str, *asks: Callable[[Any], Any], name: str = "tester", **options: Any) -> Any:
    """The last answer of an asynchronous client."""

    async def all_of_them() -> Any:
        async with AsyncClient(url, name=name, **options) as client:
            return [await _awaited(ask(client)) for ask in asks][-1]

    return asyncio.run(all_of_them())


async def _awaited(answer: Any) -> Any:
    for _ in range(3):
        await asyncio.sleep(0)  # the loop notices connections that have ended
    if hasattr(answer, "__aiter__"):
        return [each async for each in answer]
    return await answer if hasattr(answer, "__await__") else answer


Ask = Callable[..., Any]

both: Final = pytest.mark.parametrize(
    "ask", [ask_blocking, ask_asynchronous], ids=["blocking", "asynchronous"]
)
