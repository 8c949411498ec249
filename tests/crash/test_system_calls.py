"""What the real server asks of the system, as strace sees it: no simulation between."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.server import ServerProcess

CALLS = "pwrite64,fdatasync,fsync,rename,sendto,sendmsg,write,writev"

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def trace(place: Path) -> list[str]:
    """The calls of a server that starts on nothing, takes one job and is killed; each as it returned."""
    told = place / "calls"
    # Threads too, names of files, enough of each text.
    strace = ["strace", "-qq", "-f", "-y", "-s", "40", "-e", f"trace={CALLS}", "-o", str(told)]
    with ServerProcess(place, before=strace) as server, server.service("writer") as writer:
        writer.create()
    return _returned(told.read_text().splitlines())


def test_a_commit_is_written_and_synced_before_its_answer(tmp_path: Path) -> None:
    calls = trace(tmp_path)
    answer = _first(calls, r"HTTP/1\.1 201")
    written = _last(calls[:answer], r"pwrite64\(\d+<.*\.queuedb>")
    synced = _last(calls[:answer], r"fdatasync\(\d+<.*\.queuedb>.* = 0")
    assert written < synced < answer


def test_a_new_file_is_synced_before_it_has_its_name_and_its_name_before_anything_is_served(
    tmp_path: Path,
) -> None:
    calls = trace(tmp_path)
    synced = _first(calls, r"fdatasync\(\d+<.*\.queuedb\.new>.* = 0")
    named = _first(calls, r"rename\(.*\.queuedb\.new")
    lasting = named + _first(calls[named:], rf"fsync\(\d+<{re.escape(str(tmp_path))}>.* = 0")
    assert synced < named < lasting < _first(calls, r"HTTP/1\.1 201")


def _returned(lines: list[str]) -> list[str]:
    """One line for each call, in the order in which they returned: strace cuts those that overlap in two."""
    begun: dict[str, str] = {}
    calls = []
    for line in lines:
        process, call = line.split(maxsplit=1)
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
        elif call.startswith("<..."):
            calls.append(begun.pop(process) + call.partition("resumed>")[2])
        else:
            calls.append(call)
    return calls


def _first(calls: list[str], pattern: str) -> int:
    found = [number for number, call in enumerate(calls) if re.search(pattern, call)]
    assert found, f"{pattern} is not in\n" + "\n".join(calls)
    return found[0]


def _last(calls: list[str], pattern: str) -> int:
    return len(calls) - 1 - _first(calls[::-1], pattern)
