"""A service that asks API v2, as a well-behaved client would."""

import json
from types import TracebackType
from typing import Any

from tests.support.connection import Answer, Connection
from tests.support.server import ServerProcess

BASE = "/api/v2"


class Api:
    """Speaks for one name, about one queue, over one connection."""

    def __init__(self, server: ServerProcess, name: str, queue: str) -> None:
        self.server = server
        self.name = name
        self.queue = queue
        self.connection = Connection(server.port)

    def __enter__(self) -> "Api":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Any request below /api/v2; bytes are sent as they are, a header's dashes are underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.connection.ask(method, BASE + path, {"X-Name": self.name, **named}, sent(body))

    def here(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Any request about its queue."""
        return self.ask(method, f"/queues/{self.queue}{path}", body, **headers)

    def expect(self, status: int, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The JSON of an answer with this status, to a request about its queue."""
        answer = self.here(method, path, body, **headers)
        assert answer.status == status, (answer.status, answer.body)
        return answer.json() if answer.body else None

    def create(self, content: object = None, **options: object) -> Any:
        """The new job."""
        return self.expect(201, "POST", "/jobs", {"content": content, **options})

    def claim(self, **wanted: object) -> list[Any]:
        """The claimed jobs."""
        answer = self.here("POST", "/claim", wanted)
        assert answer.status in (200, 204), (answer.status, answer.body)
        return list(answer.json()["jobs"]) if answer.status == 200 else []

    def claim_one(self, **wanted: object) -> Any:
        """The claimed job."""
        (job,) = self.claim(**wanted)
        return job

    def settle(self, job: Any, verb: str, **said: object) -> Answer:
        """What a holder says of its job."""
        return self.here("POST", f"/jobs/{job['uid']}/{verb}", {"lease": job["lease"]["id"], **said})

    def get(self, uid: str) -> Any:
        """The job."""
        return self.expect(200, "GET", f"/jobs/{uid}")

    def do(self, uid: str, verb: str, body: object = None, **headers: str) -> Answer:
        """What a writer does to a job."""
        return self.here("POST", f"/jobs/{uid}/{verb}", body, **headers)

    def list(self, query: str = "") -> list[Any]:
        """The jobs of one page."""
        return list(self.expect(200, "GET", f"/jobs{query}")["jobs"])


def sent(body: object) -> bytes | None:
    """The bytes of a body."""
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
