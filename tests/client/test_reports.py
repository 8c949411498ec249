"""What a worker tells a broker that does not take it at once."""

import asyncio
import json
from typing import Any

import pytest

from jobengine import AsyncClient, Completed, Extended, Failed, Held, Progressed
from jobengine.client.results import Settled
from jobengine.client.settlements import Settlement
from jobengine.client.worker import reports
from jobengine.client.worker.reports import Reports
from tests.client.rough_server import CUT, RoughServer, ok

HELD = Held("mail", "2024ab76-a16f-4cd4-a494-5019174aa265", "00000000000000aa")
LATER = Held("mail", HELD.uid, "00000000000000ab")
TAKEN = ok(json.dumps({"results": [{"uid": HELD.uid, "status": 200}]}))


def answer(status: int, body: str = "<html>") -> bytes:
    """A refusal."""
    return f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def fault() -> bytes:
    """The broker's own."""
    return answer(500, json.dumps({"code": "internal_error", "detail": "a fault", "request_id": "r"}))


async def told(server: RoughServer, *settlements: Settlement) -> list[tuple[Settlement, Settled]]:
    """What came of them, when nothing is left to be told."""
    heard: list[tuple[Settlement, Settled]] = []
    async with AsyncClient(server.url, name="resizer", retry_seconds=0) as client:
        telling = Reports(client, on_answer=lambda *answered: heard.append(answered))
        for settlement in settlements:
            telling.add(settlement)
        running = asyncio.create_task(telling.run())
        await asyncio.wait_for(telling.all_sent(), 10)
        running.cancel()
    return heard


def verbs(server: RoughServer) -> list[list[str]]:
    """Of each request."""
    return [list(json.loads(body)) for body in server.requests]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "pause_seconds", lambda: 0)


@pytest.mark.parametrize(
    "refusal", [CUT, fault(), answer(500), answer(502), answer(503), answer(429), answer(507)]
)
async def test_a_result_is_told_until_it_is_taken(refusal: bytes) -> None:
    with RoughServer([refusal, refusal, TAKEN]) as server:
        ((settlement, settled),) = await told(server, Completed(HELD, 1))
        assert (settlement, settled.error) == (Completed(HELD, 1), None)
        assert len(set(server.requests)) == 1


async def test_a_result_that_a_proxy_finds_too_large_fails_the_attempt() -> None:
    with RoughServer([answer(413), TAKEN]) as server:
        *_, (settlement, _) = await told(server, Completed(HELD, 1))
        assert isinstance(settlement, Failed)
        assert "its result was refused" in settlement.text


async def test_what_has_gone_with_its_queue_is_told_once() -> None:
    gone = answer(404, json.dumps({"code": "not_found"}))
    with RoughServer([gone]) as server:
        await told(server, Completed(HELD, 1))
        assert verbs(server) == [["complete"]]


async def test_a_job_that_has_ended_asks_for_no_more_time() -> None:
    with RoughServer([TAKEN]) as server:
        await told(server, Extended(HELD), Completed(HELD))
        assert verbs(server) == [["complete"]]


async def test_a_job_that_was_lost_and_claimed_again_is_two_to_tell_of() -> None:
    both: dict[str, Any] = {"results": [{"uid": HELD.uid, "status": 200}] * 2}
    with RoughServer([ok(json.dumps(both))]) as server:
        heard = await told(server, Progressed(HELD, 1), Progressed(LATER, 2))
        assert [settlement.job for settlement, _ in heard] == [HELD, LATER]
