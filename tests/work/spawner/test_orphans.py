"""Who is a child of whom."""

import os
import subprocess
from pathlib import Path
from subprocess import PIPE

import pytest

from jobengine.work.spawner.orphans import children, mark_of


def test_children_are_found_on_any_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen(["sleep", "1000"])
    read_text = Path.read_text

    def lacking(path: Path) -> str:
        if path.name == "children":
            raise FileNotFoundError(path)
        return read_text(path)

    try:
        quick = children()
        monkeypatch.setattr(Path, "read_text", lacking)
        assert child.pid in quick
        assert child.pid in children()
        assert os.getpid() not in children()
    finally:
        child.kill()
        child.wait()


def test_a_mark_is_read_from_the_environment_of_a_process() -> None:
    for environment, mark in (
        ({"JOBENGINE_RUN": "17"}, "17"),
        ({"NOT_JOBENGINE_RUN": "17"}, None),
        ({}, None),
    ):
        whole = {"PATH": "/usr/bin:/bin"} | environment
        child = subprocess.Popen(["sh", "-c", "echo; read end"], env=whole, stdin=PIPE, stdout=PIPE)
        assert child.stdout is not None
        try:
            child.stdout.readline()  # at first it has no environment yet
            assert mark_of(child.pid) == mark
        finally:
            child.communicate(b"\n")


def test_a_process_that_is_gone_has_no_mark() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert mark_of(child.pid) is None
