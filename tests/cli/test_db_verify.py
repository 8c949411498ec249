"""`jobengine db verify`: what it answers, and how it ends."""

from collections import Counter
from pathlib import Path

from tests.cli.databases import damage, database, db, refused, told
from tests.support.server import ServerProcess


def test_a_whole_file_is_whole(tmp_path: Path) -> None:
    path = database(tmp_path)
    found = told("verify", path)
    assert (found["whole"], found["frames"], found["sequence"], found["findings"]) == (True, 5, 5, [])
    assert ": whole; " in db("verify", path).stdout


def test_damage_is_shown_with_its_place_and_65(tmp_path: Path) -> None:
    path = database(tmp_path)
    at = 8192 + 256 + 5
    damage(path, at)
    (finding,) = told("verify", path, exit_code=65)["findings"]
    assert (finding["kind"], finding["offset"]) == ("damaged_middle", 8192 + 256)
    assert (finding["sequence_before"], finding["sequence_behind"]) == (1, 3)
    finished = db("verify", path)
    assert finished.returncode == 65
    assert finished.stdout.startswith(f"bad bytes at offset {8192 + 256}, ")
    assert "jobengine db repair" in finished.stdout


def test_refusals_have_their_exit_codes(tmp_path: Path) -> None:
    path = database(tmp_path)
    refused(db("verify", path, secret="hex:" + "00" * 32), 77, "SECRET does not open")
    refused(db("verify", path, secret=None), 78, "SECRET: is not set")
    refused(db("verify", path, secret="hex:12"), 78, "SECRET: hex:")
    refused(db("verify", tmp_path), 74, "failed")
    assert db("verify", path, "--no").returncode == 64


def test_the_file_of_a_running_server_is_verified_without_touching_its_lock(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        with server.service("writer") as service:
            service.create()
            assert told("verify", server.database)["whole"]
            service.create()
        assert server.stop() == 0


def test_a_file_that_may_only_be_read_is_enough(tmp_path: Path) -> None:
    path = database(tmp_path)
    for each in tmp_path.iterdir():
        each.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert told("verify", path)["whole"]
    finally:
        tmp_path.chmod(0o700)


def test_without_an_anchor_it_is_65_when_one_is_required(tmp_path: Path) -> None:
    path = database(tmp_path)
    assert told("verify", path, "--require-anchor")["anchor"] == "present"
    (tmp_path / "jobs.queuedb.anchor").unlink()
    assert told("verify", path)["anchor"] == "missing"
    assert db("verify", path, "--require-anchor").returncode == 65


def test_a_copy_that_was_cut_within_what_a_compaction_wrote_is_told_wherever_that_is(tmp_path: Path) -> None:
    path = database(tmp_path, jobs=20)
    assert db("compact", path).returncode == 0
    whole, cut = path.read_bytes(), tmp_path / "cut.queuedb"
    codes = Counter[tuple[int, int]]()
    for length in range(8192, len(whole) + 1, 61):
        cut.write_bytes(whole[:length])
        verified = db("verify", cut)
        exported = db("export", cut, str(tmp_path / f"{length}.jsonl"), "--yes")
        codes[verified.returncode, exported.returncode] += 1
        assert ": 0 jobs exported" not in exported.stdout
    assert codes.keys() == {(65, 65), (0, 0)}
