"""python -m benchmarks.peers.loads BROKER PORT STEP OPERATIONS: prints operations a second."""

import asyncio
import importlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import uvloop

from benchmarks.peers.peer_connections import CONNECTIONS


async def rate(module: Any, port: int, step: str, operations: int) -> float:
    """Share so many operations among the connections."""
    connections = [await module.connect(port) for _ in range(CONNECTIONS)]
    await module.prepare(connections[0], step)
    budget = iter(range(operations))
    begun = time.perf_counter()
    await asyncio.gather(*(_spend(budget, connection, step) for connection in connections))
    seconds = time.perf_counter() - begun
    for connection in connections:
        await connection.close()
    return operations / seconds


async def _spend(budget: Iterator[int], connection: Any, step: str) -> None:
    do = getattr(connection, step)
    for _ in budget:
        await do()


if __name__ == "__main__":
    _, broker, port, step, operations = sys.argv
    module = importlib.import_module(f"benchmarks.peers.loads.of_{broker}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(rate(module, int(port), step, int(operations))))
