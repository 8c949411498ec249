"""All brokers in turns, so that whatever else the machine does hits all alike."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median

from benchmarks.bench import Bench
from benchmarks.peers import beanstalkd, loaded, ours, postgresql, redis
from benchmarks.peers.peer import Peer, Rates

Serving = Callable[[Path, int], AbstractContextManager[Peer]]

# Name, how to start it (None when it is not installed), and what one should know of its figures.
BROKERS: dict[str, tuple[Callable[[], bool], Serving, str]] = {
    "JobEngine": (lambda: True, ours.serving_ours, ours.REMARK),
    "beanstalkd": (beanstalkd.installed, beanstalkd.serving_beanstalkd, beanstalkd.REMARK),
    "Redis": (redis.installed, redis.serving_redis, redis.REMARK),
    "PostgreSQL": (postgresql.installed, postgresql.serving_postgresql, postgresql.REMARK),
    "NATS JetStream": (loaded.nats_installed, loaded.serving_nats, loaded.NATS_REMARK),
    "RabbitMQ": (loaded.rabbitmq_installed, loaded.serving_rabbitmq, loaded.RABBITMQ_REMARK),
}


def beside_peers(bench: Bench) -> list[Rates]:
    """The same work for each broker that is installed."""
    rates: dict[str, list[tuple[float, float, float]]] = {}
    with ExitStack() as stack:
        peers = _start(bench, stack)
        for number in range(bench.scale.pairs):
            bench.say(f"round {number + 1} of {bench.scale.pairs}: {', '.join(peers)}")
            for name, peer in peers.items():
                rates.setdefault(name, []).append((peer.create(), peer.claim(), peer.live()))
    return [_median(name, measured) for name, measured in rates.items()]


def _start(bench: Bench, stack: ExitStack) -> dict[str, Peer]:
    peers: dict[str, Peer] = {}
    for name, (installed, serving, _) in BROKERS.items():
        if installed():
            directory = bench.directory / name.split()[0].lower()
            directory.mkdir()
            peers[name] = stack.enter_context(serving(directory, bench.scale.operations))
        else:
            bench.say(f"{name} is not installed: see `make bench-peers`")
    return peers


def _median(name: str, measured: list[tuple[float, float, float]]) -> Rates:
    creates, claims, lives = (median(column) for column in zip(*measured, strict=True))
    return Rates(name, creates, claims, lives, remark=BROKERS[name][2])
