"""The job that is created and claimed over and over: 200 bytes of content, any priority."""

import json
import random
from typing import Final

QUEUE: Final = "bench"
SERVICE: Final = "bench"
VALID_SECONDS: Final = 864_000  # ten days: no job expires while it is measured, unless it shall


def content(size: int = 200) -> str:
    """A JSON object of exactly so many bytes."""
    return json.dumps({"job": "x" * (size - len('{"job":""}'))}, separators=(",", ":"))


def create_body(priority: int, *, size: int = 200) -> bytes:
    """What a create sends."""
    text = f'{{"content":{content(size)},"valid_for":{VALID_SECONDS},"priority":{priority}}}'
    return text.encode()


def random_bodies(count: int) -> list[bytes]:
    """Creates of random priority, the same ones in each run."""
    priorities = random.Random(0)
    return [create_body(priorities.randint(1, 100)) for _ in range(count)]
