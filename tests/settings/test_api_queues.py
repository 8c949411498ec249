"""Queues that the API makes, changes and drops."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobengine.errors import (
    BadState,
    JobEngineError,
    NotFound,
    OutcomeUnknown,
    Problem,
    StorageFull,
    Unavailable,
    ValidationFailed,
)
from jobengine.settings.api_queues import ApiQueues
from jobengine.settings.load import load
from jobengine.settings.queue_files import MARK
from jobengine.settings.schema import Settings
from jobengine.settings.watch import ConfigurationWatch
from tests.support.problem import MARKER

MAIL: dict[str, Any] = {"read": ["a"], "write": ["b"], "max_attempts": 3, "backoff": ["1s", "1m"]}


class Broker:
    """Stands for the running server: takes settings, or refuses them."""

    def __init__(self, place: Path) -> None:
        self.path = place / "config.yml"
        self.path.write_text("queues: {own: {read: [], write: []}}\n")
        self.path.chmod(0o600)
        self.directory = place / "config.d"
        self.taken: list[Settings] = []
        self.refusal: JobEngineError | None = None
        self.watch = ConfigurationWatch(
            self.path,
            load(self.path, {}),
            environment={},
            apply=self.apply,
            drops_jobs=lambda _: False,
        )
        self.queues = ApiQueues(self.path, self.watch)

    async def apply(self, settings: Settings) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(settings)

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.glob("*")}


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    return Broker(tmp_path)


async def test_a_queue_is_written_down_and_taken_up(broker: Broker) -> None:
    assert await broker.queues.put("mail", MAIL)
    (taken,) = broker.taken
    assert taken == load(broker.path, {})
    assert [(queue.name, queue.is_made_by_api) for queue in taken.queues] == [("mail", True), ("own", False)]
    assert taken.queues[0].max_attempts == 3
    assert (broker.directory / "mail.yml").stat().st_mode & 0o777 == 0o600


async def test_the_watch_has_nothing_to_do_then(broker: Broker) -> None:
    for name in ("zebra", "mail", "ant"):
        await broker.queues.put(name, MAIL)
    await broker.watch.look()
    await broker.queues.drop("mail")
    await broker.watch.look()
    assert len(broker.taken) == 4


async def test_a_queue_is_changed(broker: Broker) -> None:
    await broker.queues.put("mail", MAIL)
    assert not await broker.queues.put("mail", {**MAIL, "paused": True})
    assert broker.watch.settings.queues[0].paused
    assert load(broker.path, {}) == broker.taken[-1]


async def test_a_queue_is_dropped(broker: Broker) -> None:
    await broker.queues.put("mail", MAIL)
    await broker.queues.drop("mail")
    assert [queue.name for queue in broker.taken[-1].queues] == ["own"]
    assert broker.files == {}
    with pytest.raises(NotFound):
        await broker.queues.drop("mail")


async def test_whoever_may_make_queues_may_not_say_what_is_run(broker: Broker) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        await broker.queues.put("mail", {**MAIL, "run": {"type": "shell"}})
    assert [problem.pointer for problem in refusal.value.errors] == ["/run"]
    assert broker.files == {}


async def test_all_that_is_wrong_is_told_with_pointers_and_without_what_was_sent(broker: Broker) -> None:
    wrong = {
        "read": ["a b"],
        MARKER: [],
        "max_attempts": 0,
        "backoff": {"to": "${SECRET}"},
        "dead_letter": MARKER,
    }
    with pytest.raises(ValidationFailed) as refusal:
        await broker.queues.put("mail", wrong)
    assert [problem.pointer for problem in refusal.value.errors] == [
        *["/read", "", "/max_attempts", "/backoff/to", "", "/dead_letter"]
    ]
    assert Problem("/max_attempts", "must be a whole number from 1 to 1000") in refusal.value.errors
    assert "SECRET" not in refusal.value.detail
    assert MARKER not in repr((refusal.value.detail, refusal.value.errors))
    assert broker.files == {}
    assert broker.taken == []


@pytest.mark.parametrize("name", ["a b", "../x", ".x", "", "a" * 65, "${HOME}"])
async def test_a_name_that_is_none_never_becomes_a_file(broker: Broker, name: str) -> None:
    with pytest.raises(ValidationFailed):
        await broker.queues.put(name, MAIL)
    assert not broker.directory.exists()


@pytest.mark.parametrize(
    "wrong", [{"read": None}, {"a": {"b": [[[[1]]]]}}, {"read": [[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]}]
)
async def test_any_json_is_refused_as_wrong_settings(broker: Broker, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed):
        await broker.queues.put("mail", wrong)


async def test_a_queue_of_the_configuration_is_nobody_elses(broker: Broker) -> None:
    with pytest.raises(BadState):
        await broker.queues.put("own", MAIL)
    with pytest.raises(BadState):
        await broker.queues.drop("own")
    assert broker.files == {}


async def test_a_file_that_somebody_wrote_is_never_written_to(broker: Broker) -> None:
    broker.directory.mkdir()
    text = b"read: []\nwrite: []\n"
    (broker.directory / "mail.yml").write_bytes(text)
    with pytest.raises(BadState):
        await broker.queues.put("mail", MAIL)
    await broker.watch.look()
    with pytest.raises(BadState):
        await broker.queues.drop("mail")
    assert broker.files == {"mail.yml": text}


async def test_a_queue_that_takes_dead_letters_stays(broker: Broker) -> None:
    await broker.queues.put("dead", MAIL)
    await broker.queues.put("mail", {**MAIL, "dead_letter": "dead"})
    with pytest.raises(BadState):
        await broker.queues.drop("dead")
    await broker.queues.drop("mail")
    await broker.queues.drop("dead")


async def test_a_queue_does_not_send_its_dead_letters_to_itself(broker: Broker) -> None:
    with pytest.raises(ValidationFailed):
        await broker.queues.put("mail", {**MAIL, "dead_letter": "mail"})


async def test_dead_letters_do_not_go_round(broker: Broker) -> None:
    await broker.queues.put("dead", MAIL)
    await broker.queues.put("mail", {**MAIL, "dead_letter": "dead"})
    before = broker.files
    with pytest.raises(ValidationFailed, match="lead back") as refused:
        await broker.queues.put("dead", {**MAIL, "dead_letter": "mail"})
    assert [each.pointer for each in refused.value.errors] == ["/dead_letter"]
    assert broker.files == before


async def test_what_the_engine_refuses_leaves_the_files_as_they_were(broker: Broker) -> None:
    await broker.queues.put("mail", MAIL)
    before = broker.files
    broker.refusal = StorageFull("the disk has no room")
    for change in (
        broker.queues.put("mail", {**MAIL, "paused": True}),
        broker.queues.put("new", MAIL),
        broker.queues.drop("mail"),
    ):
        with pytest.raises(StorageFull):
            await change
    assert broker.files == before
    assert all(text.startswith(MARK) for text in before.values())


async def test_where_the_outcome_is_unknown_the_file_stays_for_the_next_start(broker: Broker) -> None:
    broker.refusal = OutcomeUnknown("the disk failed")
    with pytest.raises(OutcomeUnknown):
        await broker.queues.put("mail", MAIL)
    assert list(broker.files) == ["mail.yml"]


async def test_a_directory_that_is_none_is_told_without_its_path(broker: Broker) -> None:
    broker.directory.write_text("no directory")
    with pytest.raises(Unavailable) as refusal:
        await broker.queues.put("mail", MAIL)
    assert str(broker.directory) not in refusal.value.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TIMES = st.integers(0, 5) | st.floats(0, 5) | st.sampled_from(["250ms", "1s", "2m", "${HOME}", "1:30", "1e3"])
BACKOFFS = st.lists(TIMES, max_size=3) | st.fixed_dictionaries({}, optional={"from": TIMES, "to": TIMES})
PLAUSIBLE = st.fixed_dictionaries(
    {"read": st.lists(st.sampled_from(["a", "1", "no", "*", "${HOME}", "2024-01-01"])), "write": st.just([])},
    optional={
        "backoff": BACKOFFS,
        "errors": st.dictionaries(st.text(max_size=5), BACKOFFS | st.just("fail"), max_size=2),
        "max_bytes": st.integers(-1, 10) | st.just("1KiB"),
        "job_keep_minutes": st.floats(0, 10) | st.just(1e22),
        "paused": st.booleans() | st.just("true"),
        "dead_letter": st.sampled_from(["own", "mail", None, ""]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(wanted=PLAUSIBLE | st.dictionaries(st.text(max_size=8), JSON, max_size=3))
async def test_any_settings_are_refused_or_are_what_the_next_start_reads(
    broker: Broker, wanted: dict[str, Any]
) -> None:
    try:
        await broker.queues.put("mail", wanted)
    except ValidationFailed:
        return
    assert load(broker.path, {"HOME": "/root"}) == broker.watch.settings
