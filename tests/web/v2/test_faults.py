"""What is wrong with a body is told in words, never by what was sent."""

from typing import Any

import pytest

from jobengine.errors import ValidationFailed
from jobengine.web.v2.claiming import ClaimAnyBody
from jobengine.web.v2.decoding import decoder, read_body
from jobengine.web.v2.settlements import SettleBody
from jobengine.web.v2.slices import BulkBody
from tests.support.problem import MARKER

UID = '"00000000-0000-4000-8000-000000000000"'


async def told(kind: Any, body: str) -> dict[str, str]:
    """Pointer → detail."""
    with pytest.raises(ValidationFailed) as refusal:
        await read_body(body.encode(), decoder(kind))
    assert MARKER not in str(refusal.value.errors)
    return {problem.pointer: problem.detail for problem in refusal.value.errors}


@pytest.mark.parametrize(
    ("kind", "body", "pointer", "words"),
    [
        (BulkBody, f'{{"queue":"mail","action":"{MARKER}"}}', "/action", "must be one of delete, stop, halt"),
        (
            BulkBody,
            f'{{"queue":"mail","action":"stop","state":["{MARKER}"]}}',
            "/state",
            "must be one of queued",
        ),
        (BulkBody, f'{{"queue":"{MARKER} ","action":"stop"}}', "/queue", "must be a queue's name"),
        (BulkBody, '{"queue":"mail"}', "/action", "is missing"),
        (BulkBody, '{"queue":"mail","action":"move"}', "", "does not say to which queue"),
        (BulkBody, "[]", "", "Expected `object`, got `array`"),
        (BulkBody, f'{{"queue":"mail","action":"stop","{MARKER * 1000}":1}}', "", "unknown"),
        (ClaimAnyBody, f'{{"queues":{{"{MARKER} ":1}}}}', "/queues", "must be a queue's name"),
        (ClaimAnyBody, '{"queues":{"mail":0}}', "/queues", "Expected `int` >= 1"),
        (
            SettleBody,
            f'{{"complete":[{{"uid":{UID},"lease":"{MARKER}"}}]}}',
            "/complete/0/lease",
            "16 lower-case",
        ),
        (SettleBody, f'{{"fail":[{{"uid":{UID}}}]}}', "/fail/0/lease", "is missing"),
        (SettleBody, "{}", "", "from 1 to 1000"),
    ],
)
async def test_a_fault_is_told_with_its_place(kind: Any, body: str, pointer: str, words: str) -> None:
    problems = await told(kind, body)
    assert list(problems) == [pointer]
    assert words in problems[pointer]
