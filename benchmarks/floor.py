"""The floor: bare aiohttp that reads the same body, parses it, answers as many bytes, and keeps nothing."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import accepts, free_port, started, wait_until


@contextmanager
def floor_serving(directory: Path, *, answer_bytes: int) -> Iterator[int]:
    """The floor, in a process of its own, while the block runs: its port."""
    port, log = free_port(), directory / "floor.log"
    command = [sys.executable, "-m", "benchmarks.floor", str(port), str(answer_bytes)]
    with started(command, log=log) as process:
        wait_until(lambda: accepts(port), process, log=log)
        yield port


def main() -> None:
    """Serve the same routes as the broker until told to stop."""
    # Only the process that serves needs these.
    import uvloop
    from aiohttp import web

    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("answer_bytes", type=int)
    chosen = options.parse_args()
    answer = b" " * chosen.answer_bytes

    async def create(request: web.Request) -> web.Response:
        json.loads(await request.read())
        return web.Response(status=201, body=answer, content_type="application/json")

    async def claim(_: web.Request) -> web.Response:
        return web.Response(status=204)

    application = web.Application()
    application.router.add_put("/api/v1/jobs/create", create)
    application.router.add_get("/api/v1/jobs/next", claim)
    web.run_app(
        application, host="127.0.0.1", port=chosen.port, access_log=None, loop=uvloop.new_event_loop()
    )


if __name__ == "__main__":
    main()
