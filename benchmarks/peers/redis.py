"""Redis with `appendfsync always`, the life of a job in Lua, load by its own redis-benchmark."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.job import content
from benchmarks.peers.peer import Peer
from benchmarks.peers.peer_connections import CONNECTIONS
from benchmarks.processes import accepts, free_port, started, wait_until

REMARK = "`appendfsync always`, each step a Lua script; load by redis-benchmark"

# One script for each step. Arguments: content, and a number from 0 to 99 for the priority.
CREATE = """
local priority = tonumber(ARGV[2]) + 1
local id = redis.call('INCR', 'arrivals')
local now = redis.call('TIME')[1]
redis.call('HSET', 'job:' .. id, 'content', ARGV[1], 'state', 'queued', 'priority', priority,
  'created', now, 'last_updated', now, 'timeout_time', now + 600)
redis.call('ZADD', 'queued', (100 - priority) * 2^40 + id, id)
return id
"""
CLAIM = """
local id = redis.call('ZPOPMIN', 'queued')[1]
if not id then return redis.error_reply('the queue is empty') end
local now = redis.call('TIME')[1]
redis.call('HSET', 'job:' .. id, 'state', 'inprogress', 'last_updated', now)
redis.call('ZADD', 'inprogress', now + 600, id)
return redis.call('HGETALL', 'job:' .. id)
"""
COMPLETE = """
local id = redis.call('ZPOPMIN', 'inprogress')[1]
local now = redis.call('TIME')[1]
redis.call('HSET', 'job:' .. id, 'state', 'complete', 'last_updated', now)
redis.call('ZADD', 'complete', now + 600, id)
return id
"""
# redis-benchmark sends one command over and over; this one does whatever step is next.
NEXT_STEP = f"""
local function create() {CREATE} end
local function claim() {CLAIM} end
local function complete() {COMPLETE} end
if redis.call('ZCARD', 'inprogress') > 0 then return complete() end
if redis.call('ZCARD', 'queued') > 0 then return claim() end
return create()
"""


def installed() -> bool:
    """Is it there?"""
    return shutil.which("redis-server") is not None and shutil.which("redis-benchmark") is not None


@contextmanager
def serving_redis(directory: Path, operations: int) -> Iterator[Peer]:
    """Redis as a peer, while the block runs."""
    with redis_server(directory) as port:
        yield Redis(port, operations)


@contextmanager
def redis_server(directory: Path) -> Iterator[int]:
    """Redis, empty, and synced with each answer, while the block runs: its port."""
    port, log = free_port(), directory / "log"
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    with started(command, log=log) as process:
        wait_until(lambda: accepts(port), process, log=log)
        yield port


class Redis:
    """A running Redis."""

    def __init__(self, port: int, operations: int) -> None:
        self._port = port
        self._operations = operations

    def create(self) -> float:
        """A script that adds a job."""
        return self._rate(CREATE, self._operations)

    def claim(self) -> float:
        """A script that takes the first job."""
        rate = self._rate(CLAIM, self._operations)
        if int(self._ask("ZCARD", "inprogress")) != self._operations:
            raise RuntimeError("Redis did not hand out as many jobs as were claimed")
        self._ask("FLUSHALL")  # lives begin with an empty queue, and so does the next round
        return rate

    def live(self) -> float:
        """Three scripts for each job."""
        rate = self._rate(NEXT_STEP, 3 * self._operations) / 3
        if int(self._ask("ZCARD", "complete")) != self._operations:
            raise RuntimeError("Redis did not complete as many jobs as were created")
        self._ask("FLUSHALL")
        return rate

    def _rate(self, script: str, operations: int) -> float:
        digest = self._ask("SCRIPT", "LOAD", script)
        command = ["redis-benchmark", "-p", str(self._port), "-c", str(CONNECTIONS), "-n", str(operations)]
        command += ["-r", "100", "--csv", "EVALSHA", digest, "0", content(), "__rand_int__"]
        # The last line: the command, then requests a second and six latencies.
        return float(_printed(command).splitlines()[-1].rsplit(",", 7)[1].strip('"'))

    def _ask(self, *command: str) -> str:
        return _printed(["redis-cli", "-p", str(self._port), *command])


def _printed(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.strip()
