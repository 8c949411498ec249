"""`jobengine db info`."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobengine.cli.db.options import (
    Database,
    Json,
    answer,
    database_of,
    has_secret,
    iso,
    secret_of_environment,
    size,
    table,
)

if TYPE_CHECKING:
    from jobengine.journal.anchor import Mark
    from jobengine.journal.header import Header

_DAY_MS = 86_400_000


def info(db: Database = None, json: Json = False) -> None:  # noqa: FBT002 - an option, not an argument
    """Say what the file is and what it holds. Without SECRET only what its header tells in the clear.

    A server may be using the file meanwhile.
    """
    path = database_of(db)
    document = _header(path)
    if has_secret():
        document |= _contents(path)
    answer(document, table(_rows(document)), as_json=json)


def _header(path: Path) -> dict[str, Any]:
    from jobengine.journal.files import read_all
    from jobengine.journal.header import FRAMES_START, MAJOR, read_header
    from jobengine.journal.reading import READING_FILES, is_in_use, open_file, system_errors

    with ExitStack() as descriptors, system_errors(f"reading {path}"):
        file = open_file(READING_FILES, path, descriptors)
        header, _ = read_header(read_all(READING_FILES, file, FRAMES_START, 0))
        return {
            "path": str(path),
            "format": f"{MAJOR}.{header.minor}",
            "file_id": header.file_id.hex(),
            "made": iso(header.created),
            "key_age_days": max(0, time.time_ns() // 1_000_000 - header.created) // _DAY_MS,
            "kdf": _kdf(header),
            "bytes": READING_FILES.size(file),
            "in_use": is_in_use(path),
            "kept_old_files": _old_files(path),
        }


def _kdf(header: "Header") -> str:
    kdf = header.kdf
    return f"scrypt, N 2^{kdf.log2_n}, r {kdf.r}, p {kdf.p}" if kdf.scrypt else "HKDF: SECRET is a key"


def _old_files(path: Path) -> list[str]:
    from jobengine.journal.files import old_paths
    from jobengine.journal.reading import READING_FILES

    return [old.name for old in old_paths(READING_FILES, path)]


def _contents(path: Path) -> dict[str, Any]:
    from jobengine.cli.db.progress import progress
    from jobengine.journal.reading import READING_FILES, reading
    from jobengine.journal.spans import spans
    from jobengine.journal.summary import Counting

    secret = secret_of_environment()
    with reading(path, secret) as read, progress("counting", read.size) as told:
        found = Counting(read, progress=told).run()
    reaches = spans(READING_FILES, path, secret)[-1] if found.damaged_from is None else None
    return {
        "bytes": found.bytes,
        "frames": found.frames,
        "sequence": found.sequence,
        "first_commit": iso(found.first_time),
        "last_commit": iso(found.last_time),
        "last_seal": iso(found.sealed_time),
        "closed_in_good_order": found.is_sealed,
        "anchor": _anchor(found.mark, is_of_another_file=read.is_of_another_file),
        "missing_commits": found.missing_commits,
        "torn_bytes": found.torn_bytes,
        "damaged_from": found.damaged_from,
        "jobs": found.jobs,
        "live_bytes": found.live_bytes,
        "live_share": round(found.live_bytes / found.bytes, 3),
        "restore_reaches_back_to": reaches and {"sequence": reaches.sequence, "time": iso(reaches.time)},
    }


def _anchor(mark: "Mark | None", *, is_of_another_file: bool) -> dict[str, object]:
    return {
        "present": mark is not None,
        "matches": mark is not None and not is_of_another_file,
        "sequence": mark and mark.sequence,
    }


def _rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("file", told["path"]),
        ("id", f"{told['file_id'][:12]}, format {told['format']}"),
        ("data key", f"made {told['made']}, {told['key_age_days']} days old; {told['kdf']}"),
        ("size", size(told["bytes"])),
        ("server", "is using the file" if told["in_use"] else "is not using the file"),
        ("kept old files", ", ".join(told["kept_old_files"]) or "none"),
    ]
    if "frames" in told:
        return rows + _rows_of_contents(told)
    return [*rows, ("contents", "sealed; set SECRET or SECRET_FILE to see more")]


def _rows_of_contents(told: dict[str, Any]) -> list[tuple[str, str]]:
    frames = ", ".join(f"{count} {kind}" for kind, count in told["frames"].items())
    return [
        ("frames", frames or "none"),
        ("commits", _commits(told)),
        ("last seal", _seal(told)),
        ("anchor", _anchor_row(told)),
        *((f"queue {queue}", _jobs(states)) for queue, states in told["jobs"].items()),
        ("live", f"{size(told['live_bytes'])}, {told['live_share']:.0%} of the file"),
        ("end", _end(told)),
        ("restore --until", _reach(told["restore_reaches_back_to"])),
    ]


def _commits(told: dict[str, Any]) -> str:
    through = f"up to {told['sequence']}"
    if told["first_commit"] is None:  # only what a compaction or a repair wrote
        return through
    return f"{through}; {told['first_commit']} to {told['last_commit']}"


def _seal(told: dict[str, Any]) -> str:
    order = "closed in good order" if told["closed_in_good_order"] else "not closed since"
    return f"{told['last_seal'] or 'never'}, {order}"


def _anchor_row(told: dict[str, Any]) -> str:
    anchor = told["anchor"]
    if not anchor["present"]:
        return "missing: nobody can tell whether the newest commits are missing too"
    if not anchor["matches"]:
        return "belongs to another file"
    missing = told["missing_commits"]
    return f"at {anchor['sequence']}" + (f": {missing} acknowledged commits are missing" if missing else "")


def _jobs(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "no jobs"


def _end(told: dict[str, Any]) -> str:
    if told["damaged_from"] is not None:
        return f"damaged from offset {told['damaged_from']} on; see jobengine db verify"
    return f"a torn tail of {told['torn_bytes']} bytes" if told["torn_bytes"] else "whole"


def _reach(reach: dict[str, Any] | None) -> str:
    return f"back to commit {reach['sequence']} of {reach['time']}" if reach else "the file is damaged"
