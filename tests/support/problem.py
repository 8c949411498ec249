"""What every refusal has to look like."""

import re
from http import HTTPStatus
from typing import Any

from tests.support.connection import Answer

MARKER = "zq7reflected7qz"  # put it into what is sent: no answer may repeat it


def problem(answer: Answer, status: int, code: str, *, closes: bool = False) -> Any:
    """The problem document of a refusal, when it is as RFC 9457 and the reference want it."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.reason == HTTPStatus(status).phrase
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.closes == closes
    assert (answer.header("Retry-After") is not None) == (status in (429, 503))
    document = answer.json()
    errors = document.pop("errors", None)
    assert errors is None or all(set(error) == {"pointer", "detail"} for error in errors)
    assert document == {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": document["detail"],
        "code": code,
        "request_id": answer.header("X-Request-Id"),
    }
    assert document["detail"]
    assert MARKER not in repr(answer)
    assert not re.search(r"Traceback|\.py|/work\b|/tmp\b|site-packages", answer.body.decode())
    return document if errors is None else document | {"errors": errors}
