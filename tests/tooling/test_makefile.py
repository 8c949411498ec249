"""`make run` and `make help`, with a Python that only says what it is asked to do."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
KEPT_OUT = ("SECRET", "SECRET_FILE", "CONFIG_PATH", "DB_PATH", "PORT", "MAKEFLAGS", "MAKELEVEL")

# Makes a secret as the real one does, and serves nothing.
PYTHON = """#!/bin/sh
case "$1" in
-c) echo "hex:secret number $$" ;;
*) echo "args=$*"; echo "SECRET=$SECRET SECRET_FILE=$SECRET_FILE" ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which everything is installed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path


def test_run_makes_a_secret_that_only_its_owner_reads(clone: Path) -> None:
    assert "SECRET= SECRET_FILE=data/secret" in _run(clone)
    secret = clone / "data/secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text().startswith("hex:")


def test_run_makes_a_secret_only_once(clone: Path) -> None:
    _run(clone)
    first = (clone / "data/secret").read_text()
    _run(clone)
    assert (clone / "data/secret").read_text() == first


@pytest.mark.parametrize("given", ["SECRET", "SECRET_FILE"])
def test_run_takes_a_secret_that_is_given(clone: Path, given: str) -> None:
    assert f"{given}=mine" in _run(clone, **{given: "mine"})
    assert not (clone / "data/secret").exists()


def test_run_serves_the_sample_queues_on_the_documented_port(clone: Path) -> None:
    expected = "args=-m jobengine serve --config config/config.yml --db data/jobs.queuedb --port 6010"
    assert expected in _run(clone)


def test_run_takes_another_port_and_tells_a_line_to_try_there(clone: Path) -> None:
    printed = _run(clone, "PORT=7000")
    assert "--port 7000" in printed
    assert "curl -X PUT http://127.0.0.1:7000/api/v1/jobs/create" in printed


def test_help_names_every_target_that_is_for_people(clone: Path) -> None:
    targets = set(re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)) - {"help", "debian-packages"}
    helped = re.findall(r"^  make (\S+) +\S", _make(clone), re.MULTILINE)
    assert set(helped) == targets


def test_check_and_ci_end_with_the_tests() -> None:
    (prerequisites,) = re.findall(r"^check: (.*?)  ##", MAKEFILE, re.MULTILINE)
    assert prerequisites.split()[-1] == "test"
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make check"
    assert os.access(ROOT / ".ci/run", os.X_OK)


def _run(clone: Path, *arguments: str, **environment: str) -> str:
    return _make(clone, "-o", ".venv/run.stamp", "run", *arguments, **environment)


def _make(clone: Path, *arguments: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if name not in KEPT_OUT}
    made = subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout
