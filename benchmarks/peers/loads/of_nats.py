"""NATS JetStream: a work queue on a file, pulled one message at a time."""

from contextlib import suppress

import nats
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from benchmarks.job import content

STREAM, SUBJECT, CONSUMER = "bench", "bench", "bench"
LEASE_SECONDS = 600
ANSWER_SECONDS = 30


class Connection:
    """A connection with its pull subscription."""

    def __init__(self, client: nats.NATS) -> None:
        self.stream = client.jetstream(timeout=ANSWER_SECONDS)
        self._client = client
        self._pulling: nats.js.JetStreamContext.PullSubscription | None = None
        self._body = content().encode()

    async def create(self) -> None:
        """Publish, and wait for the stream's acknowledgement."""
        await self.stream.publish(SUBJECT, self._body)

    async def claim(self) -> None:
        """Pull one."""
        await self._pull()

    async def live(self) -> None:
        """Publish, pull, acknowledge and wait for the answer to that."""
        await self.create()
        await (await self._pull()).ack_sync(timeout=ANSWER_SECONDS)

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()

    async def _pull(self) -> nats.aio.msg.Msg:
        if self._pulling is None:
            self._pulling = await self.stream.pull_subscribe_bind(durable=CONSUMER, stream=STREAM)
        return (await self._pulling.fetch(1, timeout=ANSWER_SECONDS))[0]


async def connect(port: int) -> Connection:
    """A connection of its own."""
    return Connection(await nats.connect(f"nats://127.0.0.1:{port}"))


async def prepare(connection: Connection, step: str) -> None:
    """Creates and lives begin with an empty stream."""
    if step == "claim":
        return
    await _forget(connection)
    await connection.stream.add_stream(
        StreamConfig(
            name=STREAM, subjects=[SUBJECT], retention=RetentionPolicy.WORK_QUEUE, storage=StorageType.FILE
        )
    )
    consumer = ConsumerConfig(
        durable_name=CONSUMER, ack_policy=AckPolicy.EXPLICIT, ack_wait=LEASE_SECONDS, max_ack_pending=-1
    )
    await connection.stream.add_consumer(STREAM, consumer)


async def _forget(connection: Connection) -> None:
    with suppress(nats.js.errors.NotFoundError):  # the first time there is none
        await connection.stream.delete_stream(STREAM)
