"""The broker that users put into their own tests."""

import asyncio
import http.client
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from jobengine import Client, State, Worker
from jobengine.errors import ConfigurationWrong, NotFound, Unreachable
from jobengine.testing import broker


def test_time_passes_when_the_test_says_so() -> None:
    start = datetime(2026, 1, 31, 10, tzinfo=UTC)
    with broker(["mail"], now=start) as running, running.client("tester") as client:
        job = client.create("mail", 1, delay=3600)
        assert job.created == start
        assert client.claim("mail") == []
        running.advance(timedelta(hours=1))
        assert running.now == start + timedelta(hours=1)
        assert client.claim("mail")[0].uid == job.uid


def test_what_is_due_is_done_when_time_has_passed() -> None:
    options = {"mail": {"job_keep_minutes": 10}}
    with broker(options) as running, running.client("tester") as client:
        kept, expired = client.create("mail", 1), client.create("mail", 2, valid_for=60)
        client.complete(client.claim("mail")[0])
        running.advance(61)
        assert client.queue("mail").jobs == {"queued": 0, "inprogress": 0, "complete": 1, "failed": 0}
        running.advance(timedelta(minutes=10))
        for job in (kept, expired):
            with pytest.raises(NotFound):
                client.get("mail", job.uid)


def test_a_lease_is_over_when_its_time_has_passed() -> None:
    with broker({"mail": {"max_attempts": 2}}) as running, running.client("tester") as client:
        job = client.create("mail", 1)
        client.claim("mail", lease=30)
        running.advance(31)
        assert client.get("mail", job.uid).state == State.QUEUED
        client.claim("mail", lease=30)
        running.advance(31)
        assert client.get("mail", job.uid).reason == "timeout"


async def test_a_claim_that_waits_gets_what_time_brings() -> None:
    with broker(["mail"]) as running:
        async with running.async_client("tester") as client:
            await client.create("mail", "late", delay=3600)
            waiting = asyncio.create_task(client.claim("mail", wait=7200))
            while not waiting.done() and (await client.queue("mail")).jobs["inprogress"] == 0:
                await asyncio.to_thread(running.advance, 30)
            assert [job.content for job in await waiting] == ["late"]


def test_a_worker_does_all_that_can_be_done_and_ends() -> None:
    worker = Worker(name="resizer")

    @worker.job("first")
    def hand_on(content: int) -> None:
        client.create("second", content + 1)

    done: list[int] = []
    worker.job("second")(done.append)
    with broker(["first", "second"]) as running, running.client("tester") as client:
        client.create("first", 1)
        client.create("second", 100, delay=60)
        running.run(worker)
        assert done == [2]


def test_queues_have_the_options_of_the_configuration() -> None:
    with broker({"mail": {"max_jobs": 1}}) as running, running.client("tester") as client:
        assert client.queue("mail").settings["max_jobs"] == 1


def test_an_option_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationWrong, match='did you mean "max_jobs"'), broker({"mail": {"max_job": 1}}):
        raise AssertionError("it must not start")


def test_a_connection_outlives_the_time_that_passes() -> None:
    with broker(["mail"]) as running:
        connection = http.client.HTTPConnection(running.url.removeprefix("http://"))
        for _ in range(3):
            connection.request("GET", "/api/v2/queues", headers={"X-Name": "tester"})
            assert connection.getresponse().read()
            opened = connection.sock
            running.advance(timedelta(days=100))
            assert connection.sock is opened
        connection.close()


def test_the_admin_makes_queues() -> None:
    with broker(["mail"]) as running, running.client("admin") as admin:
        assert admin.put_queue("faxes", {"read": ["*"], "write": ["*"]}).origin == "api"
        assert admin.create("faxes", 1).queue == "faxes"
        admin.drop_queue("faxes")
        assert [queue.name for queue in admin.queues()] == ["mail"]


def test_the_log_of_the_test_stays_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    with broker(["mail"]) as running, running.client("admin") as admin:
        admin.put_queue("faxes", {"read": ["*"], "write": []})
        admin.drop_queue("faxes")
        structlog.get_logger("shop").debug("sold")
        (line,) = capsys.readouterr().out.splitlines()
        assert "sold" in line
    assert not structlog.is_configured()


def test_a_test_that_sets_up_its_log_is_left_alone() -> None:
    structlog.reset_defaults()
    with broker(["mail"]), structlog.testing.capture_logs() as heard:
        structlog.get_logger("shop").debug("sold")
        structlog.configure(cache_logger_on_first_use=False)
    assert [line["event"] for line in heard] == ["sold"]


def test_who_is_called_admin_may_administer() -> None:
    with broker(["mail"]) as running, running.client("admin") as admin:
        assert admin.pause_queue("mail").paused


def test_brokers_do_not_know_each_other_and_leave_nothing_behind() -> None:
    with broker(["mail"]) as one, broker(["mail"]) as other:
        with one.client("tester") as client:
            client.create("mail", 1)
        with other.client("tester") as client:
            assert client.claim("mail") == []
    with Client(one.url, name="tester", retry_seconds=0) as client, pytest.raises(Unreachable):
        client.queues()


async def test_a_worker_in_an_asynchronous_test_does_all_that_can_be_done() -> None:
    worker = Worker(name="resizer")

    @worker.job("mail")
    async def same(content: int) -> int:
        return content

    with broker(["mail"]) as running:
        async with running.async_client("tester") as client:
            job = await client.create("mail", 7)
            await worker.serve(url=running.url, until_empty=True)
            assert (await client.get("mail", job.uid)).result == 7
