"""Jobs that are Python classes: each method is called when it should be, and no class harms the worker."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from jobengine import JobClass
from jobengine.client.worker.threads import Threads
from jobengine.errors import ConfigurationWrong
from jobengine.settings.run import RunSettings, RunType
from jobengine.settings.schema import QueueSettings
from jobengine.work.examples import Export, Simple
from jobengine.work.lanes import Workshop
from jobengine.work.outcome import KIND_MOST, TEXT_MOST, Broken, Done, Halted, Kind, Refused
from jobengine.work.python_class import PythonRunner, import_classes
from jobengine.work.source import Claimed


class Recorded(JobClass):
    """Notes what is called."""

    calls: list[str]

    def __init__(self, args: Mapping[str, Any]) -> None:
        super().__init__(args)
        self.calls = args["calls"] if isinstance(args.get("calls"), list) else []


class Waits(Recorded):
    """Until it is told to end, in a thread."""

    def start(self) -> Any:
        assert threading.current_thread() is not threading.main_thread()
        self.rest(30)
        return "ended"

    def halt(self) -> Any:
        return {"at": 7}

    def resume(self, saved: Any) -> Any:
        return saved["at"] + 1

    def stop(self) -> None:
        self.calls.append("stop")

    def clean(self) -> None:
        self.calls.append("clean")


class Sleeps(Recorded):
    """For ever, without a thread."""

    async def start(self) -> Any:
        await asyncio.sleep(60)

    async def halt(self) -> Any:
        return "here"

    async def resume(self, saved: Any) -> Any:
        return f"from {saved}"


class Fails(JobClass):
    """As its args say."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        super().__init__(args)
        if args.get("in") == "args":
            raise ValueError("pages must be a number")
        if args.get("in") == "making":
            raise RuntimeError("no")

    def start(self) -> Any:
        if self.args.get("in") == "result":
            return object()
        raise KeyError("page")

    def details(self) -> Any:
        raise RuntimeError("no")


class Deaf(JobClass):
    """Does not hear that it is to end."""

    let_go = threading.Event()

    def start(self) -> Any:
        self.let_go.wait(30)

    def stop(self) -> Any:
        raise RuntimeError("no")


class Leaves(JobClass):
    """Ends the whole program, or would like to."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        super().__init__(args)
        if args.get("in") == "making":
            sys.exit(3)

    def start(self) -> Any:
        sys.exit(3)

    def details(self) -> Any:
        sys.exit(3)


class Circular(JobClass):
    """Has a result that comes to no end."""

    def start(self) -> Any:
        result: list[Any] = []
        result.append(result)
        return result


class Stubborn(JobClass):
    """Is not cancelled, and forgets what its parent has to prepare."""

    let_go = False

    def __init__(self, args: Mapping[str, Any]) -> None:
        if args.get("in") == "making":
            raise KeyboardInterrupt

    async def start(self) -> Any:
        while not Stubborn.let_go:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    halt = stop = clean = start


class FindsNothing(JobClass):
    """Raises what no future of asyncio can hold."""

    def start(self) -> Any:
        return next(iter(()))


class CancelsItself(JobClass):
    """As if nobody wanted it."""

    async def start(self) -> Any:
        raise asyncio.CancelledError

    def details(self) -> Any:
        return {"at": object()}


class LeavesLater(JobClass):
    """The same, without a thread."""

    async def start(self) -> Any:
        sys.exit(3)


class Obeys(JobClass):
    """Ends when its `stop` or `halt` says so, and does not look whether it should."""

    def __init__(self, args: Mapping[str, Any]) -> None:
        super().__init__(args)
        self.told = threading.Event()

    def start(self) -> Any:
        return self.told.wait(30)

    def halt(self) -> Any:
        self.told.set()
        return "here"

    def stop(self) -> Any:
        self.told.set()


CLASSES: dict[str, type[JobClass]] = {
    each.__name__: each
    for each in (
        *(
            Waits,
            Sleeps,
            Fails,
            Deaf,
            Stubborn,
            Leaves,
            LeavesLater,
            CancelsItself,
            FindsNothing,
            Circular,
            Obeys,
        ),
        *(Simple, Export, JobClass),
    )
}


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(4)
    yield threads
    threads.stop()


def runner(
    threads: Threads, name: str, *, saved: Any = None, grace_seconds: float = 5, **args: Any
) -> PythonRunner:
    """Of a job of this class."""
    content = msgspec.json.encode({"class": name, "args": args})
    left = None if saved is None else msgspec.json.encode(saved)
    return PythonRunner(
        Claimed("q", "u", "1", 1, content, saved=left), CLASSES, threads, grace_seconds=grace_seconds
    )


async def ended(running: PythonRunner) -> Any:
    """Its outcome, started and seen to its end."""
    await running.start()
    return await running.ended()


def result(outcome: Any) -> Any:
    """What it gave back."""
    assert isinstance(outcome, Done), outcome
    return msgspec.json.decode(outcome.result)["result"]


@pytest.fixture
async def begun() -> AsyncIterator[None]:
    yield
    Deaf.let_go.set()
    Stubborn.let_go = True
    await asyncio.sleep(0.02)
    Stubborn.let_go = False


async def test_what_it_returns_is_the_result(threads: Threads) -> None:
    assert result(await ended(runner(threads, "Simple", count=3, seconds=0))) == {"counted": 3}
    days = {"from_date": "2020-01-31", "to_date": "2020-03-01", "seconds": 0}
    assert result(await ended(runner(threads, "Export", **days))) == {"exported": 31}


@pytest.mark.parametrize("name", ["Waits", "Sleeps"])
async def test_one_that_is_halted_leaves_what_the_next_goes_on_with(threads: Threads, name: str) -> None:
    first = runner(threads, name)
    await first.start()
    halted = await first.halt()
    assert isinstance(halted, Halted)
    assert await first.ended() == halted
    assert halted.saved is not None
    second = runner(threads, name, saved=msgspec.json.decode(halted.saved))
    assert result(await ended(second)) == {"Waits": 8, "Sleeps": "from here"}[name]


async def test_an_example_goes_on_where_it_was(threads: Threads) -> None:
    export = runner(threads, "Export", from_date="2020-01-01", to_date="2020-12-31", seconds=0.001)
    await export.start()
    while (export.details() or {})["done"] < 3:
        await asyncio.sleep(0.001)
    halted = await export.halt()
    assert halted is not None
    assert halted.saved is not None
    rest = runner(
        threads,
        "Export",
        saved=msgspec.json.decode(halted.saved),
        from_date="2020-01-01",
        to_date="2020-12-31",
        seconds=0,
    )
    assert result(await ended(rest)) == {"exported": 366}


async def test_one_that_cannot_tell_how_far_it_has_come_begins_anew(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halt(_self: Sleeps) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(Sleeps, "halt", halt)
    sleeps = runner(threads, "Sleeps")
    await sleeps.start()
    assert await sleeps.halt() == await sleeps.ended() == Halted(b'{"halted":null}')
    anew = runner(threads, "Simple", saved={"halted": None}, count=2, seconds=0)
    assert result(await ended(anew)) == {"counted": 2}


async def test_one_that_ended_before_the_halt_is_done(threads: Threads) -> None:
    simple = runner(threads, "Simple", count=0)
    await simple.start()
    await asyncio.sleep(0.01)
    assert await simple.halt() is None
    assert result(await simple.ended()) == {"counted": 0}


@pytest.mark.parametrize("name", ["Waits", "Sleeps"])
async def test_one_that_is_stopped_is_told_and_cleans_up(threads: Threads, name: str) -> None:
    running = runner(threads, name)
    await running.start()
    await running.stop()
    outcome = await running.ended()
    await running.clean()
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.STOPPED
    if name == "Waits":
        assert running._object.calls == ["stop", "clean"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("saved", "known"), [({"halted": {"at": 7}}, {"at": 7}), ({"halted": None}, None), ([], None)]
)
async def test_of_one_that_is_stopped_when_it_is_halted_a_new_object_is_told(
    threads: Threads, saved: Any, known: Any
) -> None:
    running = runner(threads, "Waits", saved=saved)
    outcome = await running.stop_left()
    await running.clean()
    assert (outcome.kind, outcome.retry) == (Kind.STOPPED, False)
    waits = running._object
    assert (waits.saved, waits.is_to_end, waits.calls) == (known, True, ["stop", "clean"])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("begun")
async def test_what_cannot_be_ended_in_time_is_left(threads: Threads) -> None:
    stubborn = runner(threads, "Stubborn", saved={"halted": 1}, grace_seconds=0.05)
    assert (await stubborn.stop_left()).kind == Kind.STOPPED
    await stubborn.clean()


async def test_one_that_ends_well_has_nothing_to_clean(threads: Threads) -> None:
    running = runner(threads, "Waits", saved={"halted": {"at": 1}})
    assert result(await ended(running)) == 2
    await running.clean()
    assert running._object.calls == []  # type: ignore[attr-defined]


@pytest.mark.usefixtures("begun")
async def test_a_thread_that_does_not_end_holds_up_nobody(
    threads: Threads,
) -> None:
    deaf = runner(threads, "Deaf", grace_seconds=0.05)
    await deaf.start()
    await deaf.stop()
    assert isinstance(await deaf.ended(), Broken)
    Deaf.let_go.set()


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize("end", ["stop", "halt"])
async def test_one_that_cannot_be_cancelled_is_left_behind(threads: Threads, end: str) -> None:
    stubborn = runner(threads, "Stubborn", grace_seconds=0.01)
    await stubborn.start()
    async with asyncio.timeout(5):
        await getattr(stubborn, end)()
        await stubborn.stop()
        outcome = await stubborn.ended()
        await stubborn.clean()
    if end == "halt":
        assert outcome == Halted(b'{"halted":null}')
    else:
        assert isinstance(outcome, Broken)
        assert (outcome.kind, outcome.text) == (Kind.STOPPED, "it was stopped")


async def test_what_it_raises_fails_the_attempt_by_the_name_of_the_exception(
    threads: Threads,
) -> None:
    outcome = await ended(runner(threads, "Fails"))
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text, outcome.retry) == ("KeyError", "'page'", None)


@pytest.mark.parametrize("name", ["Leaves", "LeavesLater"])
async def test_one_that_leaves_its_program_ends_its_job_only(threads: Threads, name: str) -> None:
    outcome = await ended(runner(threads, name))
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text, outcome.retry) == ("SystemExit", "SystemExit: 3", None)


async def test_one_that_cancels_itself_has_failed(threads: Threads) -> None:
    outcome = await ended(runner(threads, "CancelsItself"))
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == ("CancelledError", "it cancelled itself")


async def test_one_that_raises_what_ends_loops_has_failed(threads: Threads) -> None:
    async with asyncio.timeout(5):
        outcome = await ended(runner(threads, "FindsNothing"))
    assert isinstance(outcome, Broken)
    assert outcome.kind == "StopIteration"


async def test_a_thread_has_its_grace_before_what_it_did_is_taken_back(threads: Threads) -> None:
    waits = runner(threads, "Waits")
    await waits.start()
    await waits.stop()
    assert waits._work.result() == "ended"


def test_what_an_exception_says_can_be_stored_whatever_it_is() -> None:
    broken = Broken("Odd\udcff" * 100, "no such file: \udcff" + 5000 * "x")
    assert (len(broken.kind), len(broken.text)) == (KIND_MOST, TEXT_MOST)
    assert broken.text.startswith("no such file: ?x")
    assert broken.kind.isascii()


async def test_a_thread_for_each_slot_is_not_all() -> None:
    run = RunSettings(type=RunType.PYTHON, classes={"Obeys": f"{__name__}:Obeys"}, grace=50)
    workshop = Workshop(None)  # type: ignore[arg-type]  # it tells nobody
    lane = await workshop.lane(QueueSettings("q", frozenset(), frozenset(), run=run), directory=None)
    for end in ("halt", "stop"):
        running = lane.make(Claimed("q", "u", "1", 1, b'{"class":"Obeys"}'), 1)
        assert isinstance(running, PythonRunner)
        await running.start()
        await getattr(running, end)()
        assert running._object.told.is_set()  # type: ignore[attr-defined]
    await workshop.close()


@pytest.mark.parametrize("name", ["Fails", "Circular"])
async def test_a_result_that_is_no_json_is_told(threads: Threads, name: str) -> None:
    outcome = await ended(runner(threads, name, **{"in": "result"}))
    assert isinstance(outcome, Broken)
    assert outcome.kind == Kind.OUTPUT


async def test_a_class_without_a_start_fails_its_jobs(threads: Threads) -> None:
    outcome = await ended(runner(threads, "JobClass"))
    assert isinstance(outcome, Broken)
    assert outcome.kind == "NotImplementedError"


@pytest.mark.parametrize(
    ("content", "kind", "retry"),
    [
        (b'{"class":"Unknown","args":{}}', Kind.NOT_FOUND, False),
        (b'{"class":"os:system","args":{}}', Kind.NOT_FOUND, False),
        (b'{"args":{}}', Kind.CONTENT, False),
        (b'{"class":7}', Kind.CONTENT, False),
        (b'"Simple"', Kind.CONTENT, False),
        (b'{"class":"Simple","args":[]}', Kind.CONTENT, False),
        (b'{"class":"Simple","args":{"count":"x"}}', Kind.CONTENT, False),
        (b'{"class":"Export","args":{"from_date":"31.1.2020","to_date":"2020-02-01"}}', Kind.CONTENT, False),
        (b'{"class":"Export","args":{"from_date":"2020-02-02","to_date":"2020-02-01"}}', Kind.CONTENT, False),
        (b'{"class":"Fails","args":{"in":"args"}}', Kind.CONTENT, False),
        (b'{"class":"Fails","args":{"in":"making"}}', Kind.ERROR, None),
        (b'{"class":"Leaves","args":{"in":"making"}}', Kind.ERROR, None),
        (b'{"class":"Stubborn","args":{"in":"making"}}', Kind.ERROR, None),
    ],
)
def test_a_job_that_names_nothing_that_can_be_run_is_refused(
    threads: Threads, content: bytes, kind: Kind, retry: bool | None
) -> None:
    with pytest.raises(Refused) as refused:
        PythonRunner(Claimed("q", "u", "1", 1, content), CLASSES, threads, grace_seconds=5)
    assert (refused.value.broken.kind, refused.value.broken.retry) == (kind, retry)
    assert "\n" not in refused.value.broken.text


def test_classes_are_imported_by_the_names_of_the_configuration() -> None:
    assert import_classes({"E": "jobengine.work.examples:Export"}) == {"E": Export}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no.such.module:Job", "ModuleNotFoundError"),
        ("jobengine.work.examples:Missing", "AttributeError"),
        ("json:dumps", "no subclass of jobengine.JobClass"),
        ("jobengine.errors:JobEngineError", "no subclass of jobengine.JobClass"),
    ],
)
def test_a_class_that_cannot_be_had_is_told_at_the_start(path: str, said: str) -> None:
    with pytest.raises(ConfigurationWrong) as wrong:
        import_classes({"Job": path})
    assert said in str(wrong.value)
    assert "run.classes.Job" in str(wrong.value)
