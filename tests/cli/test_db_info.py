"""`jobengine db info`: what it answers, and how it ends."""

import asyncio
from pathlib import Path

from jobengine.engine.opening import open_engine
from tests.cli.databases import damage, database, db, refused, told
from tests.support.server import QUEUES, SECRET, ServerProcess


def test_info_tells_what_is_in_the_file(tmp_path: Path) -> None:
    path = database(tmp_path)
    found = told("info", path)
    assert found["jobs"] == {"mail": {"queued": 3}}
    assert found["frames"] == {"changes": 4, "seal": 1}
    assert (found["sequence"], found["bytes"], found["format"]) == (5, path.stat().st_size, "1.0")
    assert found["anchor"] == {"present": True, "matches": True, "sequence": 5}
    assert (found["closed_in_good_order"], found["in_use"], found["damaged_from"]) == (True, False, None)
    assert (found["torn_bytes"], found["missing_commits"], found["kept_old_files"]) == (0, 0, [])
    assert found["restore_reaches_back_to"]["sequence"] == 0
    assert found["first_commit"] == "2023-11-14T22:13:20.000+00:00"
    assert 0 < found["live_share"] < 1
    shown = db("info", path).stdout
    assert "queue mail       3 queued\n" in shown
    assert "closed in good order" in shown


def test_it_counts_what_is_live_as_the_compaction_does(tmp_path: Path) -> None:
    path = database(tmp_path, jobs=30)
    engine = open_engine(path, SECRET)
    live_bytes = engine.live_bytes()
    asyncio.run(engine.stop())
    assert told("info", path)["live_bytes"] == live_bytes


def test_without_secret_it_tells_what_the_header_says(tmp_path: Path) -> None:
    path = database(tmp_path)
    finished = db("info", path, secret=None)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "set SECRET or SECRET_FILE to see more" in finished.stdout
    assert "mail" not in finished.stdout


def test_info_looks_at_the_file_of_a_running_server(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        with server.service("writer") as service:
            service.create()
        found = told("info", server.database)
        assert (found["in_use"], found["closed_in_good_order"]) == (True, False)
        assert found["jobs"] == {queue: {"queued": 1} for queue in QUEUES}
        assert server.stop() == 0


def test_info_of_a_damaged_file_says_from_where_on(tmp_path: Path) -> None:
    path = database(tmp_path)
    damage(path, 8192 + 256 + 5)
    found = told("info", path)
    assert (found["damaged_from"], found["restore_reaches_back_to"]) == (8192 + 256, None)


def test_a_file_that_is_not_there_or_not_ours_is_refused(tmp_path: Path) -> None:
    refused(db("info", tmp_path / "none"), 1, "there is no such database file")
    (tmp_path / "text").write_text("hello")
    refused(db("info", tmp_path / "text"), 65, "this is not a database file")
    refused(db("info", tmp_path), 74, "reading")
