"""RabbitMQ: a quorum queue, persistent messages, publisher confirms, fetched one at a time."""

import asyncio

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from benchmarks.job import content

QUEUE = "bench"
EMPTY_SECONDS = 0.001  # until a queue that has just answered "empty" is asked again


class Connection:
    """A connection with one channel, which confirms what is published."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel) -> None:
        self.channel = channel
        self._connection = connection
        self._body = content().encode()

    async def create(self) -> None:
        """Publish, and wait for the confirmation."""
        message = aio_pika.Message(self._body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await self.channel.default_exchange.publish(message, routing_key=QUEUE)

    async def claim(self) -> None:
        """basic.get: what is not acknowledged goes back when the connection closes."""
        await self._get()

    async def live(self) -> None:
        """Publish, get, acknowledge; RabbitMQ does not answer an acknowledgement."""
        await self.create()
        await (await self._get()).ack()

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def _get(self) -> AbstractIncomingMessage:
        queue = await self.channel.get_queue(QUEUE, ensure=False)
        while (message := await queue.get(fail=False)) is None:
            await asyncio.sleep(EMPTY_SECONDS)
        return message


async def connect(port: int) -> Connection:
    """A connection of its own."""
    connection = await aio_pika.connect(f"amqp://guest:guest@127.0.0.1:{port}/")
    return Connection(connection, await connection.channel(publisher_confirms=True))


async def prepare(connection: Connection, step: str) -> None:
    """Creates and lives begin with an empty queue."""
    if step != "claim":
        await connection.channel.queue_delete(QUEUE)
        await connection.channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
