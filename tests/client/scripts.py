"""Conversations without I/O: what a call asks for, and answers that a test has written down."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from jobengine.client.exchange import Call, Request, Response, Unanswered
from jobengine.client.patience import Patience, persistent

T = TypeVar("T")

JOB = {
    "uid": "2024ab76-a16f-4cd4-a494-5019174aa265",
    "queue": "mail",
    "state": "queued",
    "priority": 50,
    "created": "2026-01-31T10:00:00.000Z",
    "last_updated": "2026-01-31T10:00:00.000Z",
    "content": {"to": "anna"},
}


def answer(status: int = 200, body: object = None, **headers: str) -> Response:
    """A response; underscores in the names of headers are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, b"" if body is None else json.dumps(body).encode(), named)


def problem(status: int, code: str, detail: str = "no", **headers: str) -> Response:
    """A refusal."""
    return answer(status, {"code": code, "detail": detail, "request_id": "r-1"}, **headers)


def job(**fields: Any) -> dict[str, Any]:
    """A job as the broker shows it."""
    return {**JOB, **fields}


class Script:
    """Answers requests in order, and remembers them. A function makes its answer of the request."""

    def __init__(self, *answers: Response | Unanswered | Callable[[Request], Response]) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []
        self.now = 0.0

    def play(self, call: Call[T], *, patience_seconds: float = 30) -> T:
        """What the call answers. Pauses pass at once."""
        patience = Patience(patience_seconds, "http://broker", clock=lambda: self.now, jitter=lambda: 0.0)
        doing = persistent(call, patience)
        try:
            request = next(doing)
            while True:
                self.requests.append(request)
                self.now += request.pause
                given = self._answers.pop(0)
                request = doing.send(given if isinstance(given, Response | Unanswered) else given(request))
        except StopIteration as end:
            result: T = end.value
            return result

    @property
    def bodies(self) -> list[Any]:
        """What was sent."""
        return [json.loads(request.body) for request in self.requests if request.body is not None]

    @property
    def pauses(self) -> list[float]:
        """Before each request, in seconds."""
        return [request.pause for request in self.requests]


def uids(jobs: Iterable[Any]) -> list[str]:
    """Of jobs as they were sent."""
    return [each["uid"] for each in jobs]
