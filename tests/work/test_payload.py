"""Jobs that bring data for the one program of their queue."""

import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jobengine.model.log import Stream
from jobengine.settings.run import RunSettings
from jobengine.work.conditions import Conditions
from jobengine.work.outcome import Broken, Done, Kind, Refused
from jobengine.work.payload import PayloadRunner, PayloadSettings
from jobengine.work.runner import LogSink
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from tests.work.shop import Shop, result_of, shop_of

ECHO = 'cat "$JOBRUNNER_REQUEST_DATA_FN" >"$JOBRUNNER_RESPONSE_DATA_FN"'


def make(
    job: Claimed, run: RunSettings, conditions: Conditions, spawner: Spawner, sink: LogSink
) -> PayloadRunner:
    """The runner of a job on the third slot."""
    return PayloadRunner(job, 3, PayloadSettings(run.command, run.archive_bytes), conditions, spawner, sink)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """Where they run."""
    async with shop_of(make) as shop:
        yield shop


def job(data: bytes = b"data", name: str = "1235") -> dict[str, str]:
    """The content of one."""
    return {"id": name, "data": base64.b64encode(data).decode()}


def sh(command: str) -> tuple[str, ...]:
    """A program that is a line for the shell."""
    return ("sh", "-c", command)


async def test_the_program_gets_the_data_and_its_answer_comes_back(shop: Shop) -> None:
    data = os.urandom(700_000)
    outcome = await shop.run(job(data), command=sh(f"{ECHO}; echo out; echo err >&2"))
    assert isinstance(outcome, Done)
    result = result_of(outcome)
    assert base64.b64decode(result["data"]) == data
    assert (base64.b64decode(result["output"]), base64.b64decode(result["errors"])) == (b"out\n", b"err\n")
    assert (result["worker_id"], result["request_id"], result["exit_code"]) == (3, "1235", 0)
    assert [bytes(said) for said in shop.log.values()] == [b"out\n", b"err\n"]


async def test_the_program_is_told_what_it_works_on(shop: Shop) -> None:
    command = sh('printf "%s|" "$JOBRUNNER_WORKER_ID" "$JOBRUNNER_REQUEST_ID" "$JOBRUNNER_CMD"')
    await shop.run(job(name="a b"), command=command)
    assert shop.log[Stream.OUT].startswith(b"3|a b|sh -c '")


async def test_a_program_that_answers_nothing_is_done_all_the_same(shop: Shop) -> None:
    assert result_of(await shop.run(job(), command=("true",)))["data"] == ""


async def test_an_exit_code_is_a_failure_with_all_that_there_is(shop: Shop) -> None:
    outcome = await shop.run(job(b"half"), command=sh(f"{ECHO}; exit 7"))
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.EXIT_CODE
    assert (result_of(outcome)["exit_code"], base64.b64decode(result_of(outcome)["data"])) == (7, b"half")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"id": "1"}, Kind.CONTENT),
        ({"id": "1", "data": 5}, Kind.CONTENT),
        ({"id": "a\0b", "data": ""}, Kind.CONTENT),
        ({"id": "x" * 2000, "data": ""}, Kind.CONTENT),
        ({"id": "1", "data": "YQ"}, Kind.BASE64),
        ({"id": "1", "data": "YR=="}, Kind.BASE64),
        ({"id": "1", "data": "Y\nQ=="}, Kind.BASE64),
        ({"id": "1", "data": "é"}, Kind.BASE64),
        ({"id": "1", "data": "A" * 262_142 + "==" + "AAAA"}, Kind.BASE64),
    ],
)
async def test_what_is_no_payload_never_runs(shop: Shop, content: Any, kind: Kind) -> None:
    with pytest.raises(Refused) as refused:
        await shop.run(content, command=sh("echo it ran"))
    assert (refused.value.broken.kind, refused.value.broken.retry) == (kind, False)
    assert shop.log[Stream.OUT] == b""


async def test_a_slash_may_be_written_as_two_letters(shop: Shop) -> None:
    runner = make(
        Claimed("jobs", "1", "lease", 1, b'{"id": "1", "data": "\\/\\/8="}'),
        RunSettings(command=sh(ECHO)),
        shop.conditions(),
        shop.spawner,
        shop.take,
    )
    await runner.start()
    assert result_of(await runner.ended())["data"] == "//8="
    await runner.clean()


async def test_what_it_prints_is_kept_as_far_as_its_log_and_the_cut_is_told(shop: Shop) -> None:
    command = sh("head -c 5000 /dev/zero | tr '\\0' a; echo end")
    result = result_of(await shop.run(job(), log_bytes=1000, command=command))
    said = base64.b64decode(result["output"]).decode()
    assert "\n[… 4004 bytes cut …]\n" in said
    assert said.endswith("aend\n")


async def test_an_answer_that_is_too_long_is_a_failure(shop: Shop) -> None:
    command = sh('head -c 2000 /dev/zero >"$JOBRUNNER_RESPONSE_DATA_FN"')
    outcome = await shop.run(job(), command=command, archive_bytes=1024)
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.OUTPUT, "its response has more than 1024 bytes")
    assert result_of(outcome)["exit_code"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        "ln -s {secret}",
        "ln -s /dev/zero",
        "mkfifo",
        "mkdir",
    ],
)
async def test_an_answer_that_is_no_file_of_its_own_is_not_read(
    shop: Shop, tmp_path: Path, answer: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    command = sh(f'{answer.format(secret=secret)} "$JOBRUNNER_RESPONSE_DATA_FN"')
    outcome = await shop.run(job(), command=command)
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.OUTPUT
    assert "data" not in result_of(outcome)
