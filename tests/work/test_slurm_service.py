"""Bundles that go to a Slurm behind HTTP."""

import asyncio
import base64
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from jobengine.archive.limits import ArchiveLimits
from jobengine.work.bundle import Bundle
from jobengine.work.outcome import Broken, Done, Halted, Kind, Outcome, Refused
from jobengine.work.running import Running
from jobengine.work.slurm.runner import SlurmRunner
from jobengine.work.slurm.service import ServiceJob
from jobengine.work.source import Claimed
from tests.work.slurm_service import TOKEN, SlurmService, slurm_service

LIMITS = ArchiveLimits(bytes=100_000)


def archive(name: str = "run.sh") -> str:
    """Base64 of a bundle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr(name, "true")
    return base64.b64encode(file.getvalue()).decode()


BUNDLE = archive()


@pytest.fixture
async def service() -> AsyncIterator[SlurmService]:
    """The stand-in."""
    async with slurm_service() as service:
        yield service


def runner(
    service: SlurmService, *, content: Any = None, saved: bytes | None = None, token: str = TOKEN
) -> SlurmRunner:
    """One that has not begun."""
    written = msgspec.json.encode(content or {"archive": BUNDLE})
    job = Claimed("jobs", "1", "lease", 1, written, saved=saved)
    slurm_job = ServiceJob(job, service.url, token, Bundle(job, LIMITS), archive_bytes=LIMITS.bytes)
    return SlurmRunner(job, slurm_job, poll_seconds=0.001, stop_seconds=5)


async def run(service: SlurmService, **given: Any) -> Outcome:
    """From its beginning to its end. Raises Refused."""
    running = runner(service, **given)
    try:
        await running.start()
        return await running.ended()
    finally:
        await running.clean()


def result_of(outcome: Outcome) -> Any:
    """What is told of it."""
    assert isinstance(outcome, Done | Broken)
    return msgspec.json.decode(outcome.result or b"null")


async def test_a_bundle_is_submitted_and_its_result_fetched_when_it_is_there(service: SlurmService) -> None:
    service.answers = [(204, None), (206, {"output": "cGFydA=="}), (200, {"output": BUNDLE})]
    outcome = await run(service)
    assert isinstance(outcome, Done)
    assert result_of(outcome) == {"slurm_id": 7, "archive": BUNDLE}
    assert (service.submitted, service.asked) == ([BUNDLE], [7, 7, 7])


async def test_what_is_already_there_is_told_as_its_progress(service: SlurmService) -> None:
    service.answers = [(204, None), (206, {"output": "cGFydA=="}), (206, {"output": {}})]
    running = runner(service)
    await running.start()
    first = running.details()
    while len(service.asked) < 4:
        await asyncio.sleep(0)
    told = msgspec.json.encode(running.details())
    await running.stop()
    await running.clean()
    assert first == {"slurm_id": 7}
    assert told == b'{"slurm_id":7,"archive":"cGFydA=="}'


async def test_a_job_that_failed_there_failed(service: SlurmService) -> None:
    service.answers = [(500, None)]
    outcome = await run(service)
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.ERROR, "the Slurm service says that the job failed")
    assert result_of(outcome) == {"slurm_id": 7}


async def test_a_service_that_is_in_trouble_is_asked_again(service: SlurmService) -> None:
    service.answers = [(503, None), (401, None), (200, {"other": 1}), (302, None), (200, {"output": BUNDLE})]
    assert isinstance(await run(service), Done)
    assert len(service.asked) == 5


@pytest.mark.parametrize("output", ["no base64", "YR=="])
async def test_a_result_that_is_no_base64_is_a_failure(service: SlurmService, output: str) -> None:
    service.answers = [(200, {"output": output})]
    outcome = await run(service)
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.BASE64


async def test_a_result_that_is_too_long_is_a_failure(service: SlurmService) -> None:
    service.answers = [(206, {"output": "A" * 200_000}), (200, {"output": "A" * 200_000})]
    outcome = await run(service)
    assert isinstance(outcome, Broken)
    assert (outcome.kind, result_of(outcome)) == (Kind.ARCHIVE, {"slurm_id": 7})
    assert len(service.asked) == 2


async def test_the_worker_may_end_and_the_next_one_goes_on_with_the_job(service: SlurmService) -> None:
    running = runner(service)
    await running.start()
    ending = asyncio.ensure_future(running.ended())
    halted = await running.leave()
    assert isinstance(halted, Halted)
    assert await ending == halted
    await running.clean()
    service.answers = [(200, {"output": BUNDLE})]
    assert result_of(await run(service, saved=halted.saved))["slurm_id"] == 7
    assert len(service.submitted) == 1


async def test_a_job_that_is_halted_is_left_alone_until_it_is_resumed(service: SlurmService) -> None:
    running = runner(service)
    await running.start()
    assert isinstance(await running.halt(), Halted)
    await running.clean()
    assert isinstance(await running.ended(), Halted)


async def test_a_job_that_is_stopped_is_not_waited_for(service: SlurmService) -> None:
    running = runner(service)
    await running.start()
    await running.stop()
    outcome = await running.ended()
    await running.clean()
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.retry, result_of(outcome)) == (Kind.STOPPED, False, {"slurm_id": 7})


async def test_a_wrong_token_is_told(service: SlurmService) -> None:
    with pytest.raises(Refused, match=r"answered 401: see run\.slurm\.token") as refused:
        await run(service, token="wrong")
    assert (refused.value.broken.kind, refused.value.broken.retry) == (Kind.NOT_STARTED, None)
    assert service.submitted == []


async def test_a_service_that_is_not_there_is_told(service: SlurmService) -> None:
    service.url = "http://127.0.0.1:1"
    with pytest.raises(Refused, match="cannot be reached"):
        await run(service)


async def test_an_answer_that_is_not_as_agreed_is_told(service: SlurmService) -> None:
    service.submits_with = 200
    with pytest.raises(Refused, match="answered 200"):
        await run(service)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"archive": archive("other.sh")}, Kind.ARCHIVE),
        ({"archive": archive("../run.sh")}, Kind.ARCHIVE),
        ({"archive": "YR=="}, Kind.BASE64),
        ({"archive": 1}, Kind.CONTENT),
    ],
)
async def test_what_is_no_bundle_is_not_submitted(service: SlurmService, content: Any, kind: Kind) -> None:
    with pytest.raises(Refused) as refused:
        await run(service, content=content)
    assert (refused.value.broken.kind, service.submitted) == (kind, [])


async def test_a_worker_that_ends_gives_back_what_is_needed_to_go_on(service: SlurmService) -> None:
    running = Running(
        Claimed("jobs", "1", "lease", 1, b""), lambda: runner(service), Mock(), timeout_seconds=60
    )
    seen = asyncio.ensure_future(running.run())
    while not service.asked:
        await asyncio.sleep(0)
    running.give_back()
    halted = await seen
    assert isinstance(halted, Halted)
    assert msgspec.json.decode(halted.saved or b"")["slurm_id"] == 7


@pytest.mark.parametrize(
    "saved",
    [b'{"slurm_id": 3}', b'{"slurm_id": 3, "proof": "00"}', b'{"slurm_id": 3, "proof": "\\u00e9"}', b"[1]"],
)
async def test_nobody_gets_the_result_of_another_job_by_what_they_save(
    service: SlurmService, saved: bytes
) -> None:
    service.answers = [(200, {"output": BUNDLE})]
    assert result_of(await run(service, saved=saved))["slurm_id"] == 7
    assert service.asked == [7]


async def test_of_one_that_is_stopped_between_two_workers_no_result_is_fetched(service: SlurmService) -> None:
    first = runner(service)
    await first.start()
    halted = await first.leave()
    await first.clean()
    assert isinstance(halted, Halted)
    second = runner(service, saved=halted.saved)
    outcome = await second.stop_left()
    await second.clean()
    assert outcome.kind == Kind.STOPPED
    assert msgspec.json.decode(outcome.result or b"") == {"slurm_id": 7}
