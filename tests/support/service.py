"""A service as the configuration names it: asks API v1 for one queue, as a well-behaved client would."""

import json
from types import TracebackType
from typing import Any

from tests.support.connection import Answer, Connection

JSON = "application/json"


class Service:
    """Speaks for one name, about one queue, over one connection."""

    def __init__(self, port: int, name: str, queue: str) -> None:
        self.port = port
        self.name = name
        self.queue = queue
        self.connection = Connection(port)

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    @property
    def headers(self) -> dict[str, str]:
        """Who asks, and for which queue."""
        return {"X-Name": self.name, "X-Queue": self.queue}

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        """Any request; a header's dashes are written as underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.connection.ask(method, target, {**self.headers, **named}, body)

    def send_create(self, body: bytes, **headers: str) -> Answer:
        """A create whose body is these bytes."""
        return self.ask("PUT", "/api/v1/jobs/create", body, X_Content_Type=JSON, **headers)

    def send_update(self, uid: str, body: bytes, **headers: str) -> Answer:
        """An update whose body is these bytes."""
        return self.ask("POST", f"/api/v1/jobs/{uid}", body, Content_Type=JSON, **headers)

    def create(self, content: object = None, *, priority: int = 50, valid_for: int = 600) -> Any:
        """The new job."""
        content = {"job": "content"} if content is None else content
        body = {"content": content, "valid_for": valid_for, "priority": priority}
        return _expected(201, self.send_create(json.dumps(body).encode())).json()

    def claim(self) -> Any:
        """The next job, or None."""
        answer = self.ask("GET", "/api/v1/jobs/next")
        return None if answer.status == 204 else _expected(200, answer).json()

    def get(self, uid: str) -> Any:
        """The job."""
        return _expected(200, self.ask("GET", f"/api/v1/jobs/{uid}")).json()

    def update(self, uid: str, /, **changes: object) -> Any:
        """The job as it is then."""
        return _expected(200, self.send_update(uid, json.dumps(changes).encode())).json()

    def delete(self, uid: str) -> None:
        """The job is gone."""
        _expected(204, self.ask("DELETE", f"/api/v1/jobs/{uid}"))

    def jobs(self, query: str = "", **headers: str) -> Any:
        """The jobs by position; none at all is an empty dictionary."""
        answer = self.ask("GET", f"/api/v1/jobs{query}", None, **headers)
        return {} if answer.status == 204 else _expected(200, answer).json()


def _expected(status: int, answer: Answer) -> Answer:
    assert answer.status == status, (answer.status, answer.body)
    return answer
