"""`jobengine db import`: an export becomes a database again."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobengine.cli.db import importing
from jobengine.cli.db.export import lines, recovered
from jobengine.cli.db.importing import Export, Imported, import_into
from jobengine.errors import Fatal, InputOutputFailed
from jobengine.journal.keys import Secret
from jobengine.journal.reading import reading
from jobengine.model.states import State
from tests.support.command import run
from tests.support.server import SECRET, ServerProcess
from tests.support.stored import fill, stored

HEADING = {
    "format": "jobengine-export",
    "version": 1,
    "queues": [{"name": "mail", "keep_ms": 60_000, "lease_ms": 60_000}],
}
NOW_MS = 1_700_000_000_000


def line(number: int, **changes: Any) -> dict[str, Any]:
    """A job of an export."""
    times = {"created_ms": NOW_MS, "updated_ms": NOW_MS + 5, "expires_ms": NOW_MS * 2}
    uid = f"00000000-0000-4000-8000-{number:012x}"
    job = {"queue": "mail", "uid": uid, "state": "queued", "priority": 50, "content": {"n": number}, **times}
    return {name: value for name, value in (job | changes).items() if value is not ...}


def written(*entries: Any, heading: Any = HEADING) -> bytes:
    """An export."""
    return b"".join(
        entry if isinstance(entry, bytes) else json.dumps(entry).encode() + b"\n"
        for entry in (heading, *entries)
    )


def imported(database: Path, export: bytes, *, replace: bool = False) -> Imported:
    """What an import of it did."""
    source = Export(io.BytesIO(export))
    batches = source.batches(lambda _: None)
    return asyncio.run(import_into(database, Secret.parse(SECRET), source.check(), batches, replace=replace))


def exported(database: Path) -> bytes:
    """All lines of an export."""
    with reading(database, Secret.parse(SECRET)) as read:
        return b"".join(lines(recovered(read, lambda _: None)[0], read))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "jobs.queuedb"


names = st.sampled_from(["mail", "letters", "a.b-c_D"])
contents = (
    st.dictionaries(
        st.text(max_size=5),
        st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
        max_size=3,
    )
    | st.just({"big": "x" * 20_000})
    | st.lists(st.integers(), max_size=2)
)
times = st.integers(0, 253_402_300_799_999)
jobs = st.builds(
    lambda uid, **values: line(uid, **values),
    st.integers(0, 1 << 40),
    queue=names,
    state=st.sampled_from([state for state in State if state is not State.GONE]),
    priority=st.integers(1, 100),
    content=contents,
    created_ms=times,
    updated_ms=times,
    expires_ms=times,
    lease_ends_ms=times,
    attempt=st.integers(0, 1000),
    claimer=st.none() | names,
    epoch=st.integers(0, 1000),
    extra=st.fixed_dictionaries(
        {"tags": st.lists(names, min_size=1, max_size=2), "max_attempts": st.integers(1, 9)}
    ),
    result=contents,
    saved=contents,
    progress=st.floats(0, 1),
)


@given(st.lists(jobs, max_size=8, unique_by=lambda job: (job["queue"], job["uid"])))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_export_of_an_import_is_the_export(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Any]
) -> None:
    place = tmp_path_factory.mktemp("round")
    imported(place / "first.queuedb", written(*entries))
    export = exported(place / "first.queuedb")
    imported(place / "second.queuedb", export)
    assert exported(place / "second.queuedb") == export
    # And what was exported is what was imported: by queue, most urgent first, else as the lines stood.
    order = list(dict.fromkeys(["mail", *(entry["queue"] for entry in entries)]))
    expected = sorted(entries, key=lambda entry: (order.index(entry["queue"]), -entry["priority"]))
    told = [json.loads(each) for each in export.splitlines()[1:]]
    assert [
        {name: job[name] for name in entry} for job, entry in zip(told, expected, strict=True)
    ] == expected


def test_a_new_file_is_made_and_a_server_serves_it(database: Path) -> None:
    done = run("db", "import", "--db", database, "--json", stdin=written(line(1), line(2, priority=60)))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["imported"], told["replaced"], told["skipped"], told["queues_made"]) == (2, 0, 0, ["mail"])
    assert b"or it drops them" in done.stderr
    with ServerProcess(database.parent) as server, server.service("owner") as owner:
        assert [job["content"] for job in owner.jobs().values()] == [{"n": 2}, {"n": 1}]
        assert owner.create()["state"] == "queued"
        assert owner.claim()["content"] == {"n": 2}


def test_order_among_equals_is_that_of_the_lines(database: Path) -> None:
    imported(database, written(line(3), line(1), line(2)))
    assert stored(database) == [b'{"n": 3}', b'{"n": 1}', b'{"n": 2}']


def test_imported_jobs_stand_behind_those_of_their_priority_that_are_there(database: Path) -> None:
    fill(database, b'{"n":0}')
    imported(database, written(line(1), line(2, priority=51)))
    assert stored(database) == [b'{"n": 2}', b'{"n":0}', b'{"n": 1}']


def test_a_job_that_is_there_is_skipped_or_replaced(database: Path) -> None:
    imported(database, written(line(1), line(2)))
    changed = written(line(1, content={"new": True}), line(3))
    assert imported(database, changed) == Imported(imported=1, replaced=0, skipped=1, queues_made=())
    assert stored(database) == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']
    assert imported(database, changed, replace=True) == Imported(
        imported=2, replaced=2, skipped=0, queues_made=()
    )
    assert stored(database) == [b'{"n": 2}', b'{"new": true}', b'{"n": 3}']


def test_a_queue_that_no_line_describes_is_made_with_the_usual_settings(database: Path) -> None:
    did = imported(database, written(line(1, queue="other"), heading=HEADING | {"queues": []}))
    assert did.queues_made == ("other",)
    assert b'{"name":"other","keep_ms":3600000,"lease_ms":600000,"max_attempts":1}' in exported(database)


JUNK = [
    (b"no JSON\n", "malformed"),
    (b"\n", "truncated"),
    (line(1, uid=...), "missing required field `uid`"),
    (line(1, uid="x"), "$.uid"),
    (line(1, queue="a b"), "$.queue"),
    (line(1, state="lost"), "$.state"),
    (line(1, state="gone"), "state: a job that is gone"),
    (line(1, priority=101), "$.priority"),
    (line(1, result=1), "extra: is missing"),
    (line(1, saved=1), "extra: is missing"),
    (json.dumps(line(1)).replace('{"n": 1}', '{"n":1,"n":2}').encode() + b"\n", "twice"),
    (line(1, expires_ms="soon"), "$.expires_ms"),
    (line(1, created="2023-11-14T22:13:21.000+00:00"), "created: is not the time"),
    (line(1, colour="red"), "colour"),
    (line(7), "uid: stands in line 2 already"),
]


@pytest.mark.parametrize(("junk", "words"), JUNK, ids=[words for _, words in JUNK])
def test_a_line_that_is_wrong_is_named_and_nothing_is_imported(database: Path, junk: Any, words: str) -> None:
    with pytest.raises(Fatal) as refused:
        imported(database, written(line(7), junk, line(8)))
    mistake, end = refused.value.detail.splitlines()
    assert mistake.startswith("line 3: ")
    assert words in mistake
    assert end == "Nothing was imported."
    assert not database.exists()


def test_all_lines_that_are_wrong_are_named_up_to_a_number(database: Path) -> None:
    with pytest.raises(Fatal) as refused:
        imported(database, written(*[{}] * 30))
    named = refused.value.detail.splitlines()
    assert [each.partition(":")[0] for each in named[:20]] == [f"line {number}" for number in range(2, 22)]
    assert named[20:] == ["... and 10 more lines", "Nothing was imported."]


@pytest.mark.parametrize(
    "heading", [b"", b"{}\n", HEADING | {"version": 2}, HEADING | {"format": "x"}, line(1)]
)
def test_what_is_no_export_is_refused(database: Path, heading: Any) -> None:
    with pytest.raises(Fatal, match="line 1: "):
        imported(database, written(line(1), heading=heading))


def test_a_running_server_is_75_and_says_what_to_do(database: Path) -> None:
    with ServerProcess(database.parent):
        done = run("db", "import", "--db", database, stdin=written(line(1)))
    assert (done.returncode, done.stdout) == (75, b"")
    assert b"stop the server first" in done.stderr


def test_a_disk_without_room_is_74_and_so_many_lines_together_are_in_or_not(
    database: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    big = {"big": "x" * 10_000}
    path = tmp_path / "export.jsonl"
    path.write_bytes(written(*(line(number, content=big) for number in range(1500))))
    done = run("db", "import", path, "--db", database, before=["prlimit", "--fsize=12000000"])
    assert (done.returncode, done.stdout) == (74, b"")
    assert b"1000 jobs are imported" in done.stderr
    assert len(stored(database)) == importing.TOGETHER
    again = run("db", "import", path, "--db", database, "--json")
    assert json.loads(again.stdout)["imported"] == 500
    assert len(stored(database)) == 1500


def test_a_file_that_is_not_there_is_74(database: Path, tmp_path: Path) -> None:
    done = run("db", "import", tmp_path / "none", "--db", database)
    assert (done.returncode, done.stderr.count(b"\n")) == (InputOutputFailed.exit_code, 1)
    assert not database.exists()
