"""The server runs with an environment that does not hold the SECRET, which /proc shows while it runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECRET = "correct horse battery staple"

# As installing the package writes it.
SCRIPT = """\
import sys
from jobengine.cli.main import main
if __name__ == "__main__":
    sys.exit(main())
"""

# Stands for the server: tells what it was given, then waits until its input ends.
STAND_IN = """\
import ctypes, json, os, sys, types

def serve(**given):
    shown = {key: value and str(value) for key, value in given.items()}
    is_open = ctypes.CDLL(None).prctl(3) != 0  # PR_GET_DUMPABLE
    told = {"given": shown, "environ": dict(os.environ), "pid": os.getpid(), "is_open": is_open}
    print(json.dumps(told), flush=True)
    sys.stdin.read()
    return 3

sys.modules["jobengine.compose"] = types.ModuleType("jobengine.compose")
sys.modules["jobengine.compose"].serve = serve
"""


class Served:
    """A running `jobengine serve` with a stand-in for the server: what it was given, and its environment."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        self.given = told["given"]
        self.environ = told["environ"]
        self.is_open = told["is_open"]
        self.has_same_pid = told["pid"] == process.pid
        self.first_environ = Path(f"/proc/{process.pid}/environ").read_bytes()
        self.arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        _, self.errors = process.communicate()
        self.code = process.returncode


def serve(place: Path, *arguments: str, how: str = "module", **environment: str) -> Served:
    (place / "sitecustomize.py").write_text(STAND_IN)
    (place / "jobengine_script").write_text(SCRIPT)
    command = ["-m", "jobengine"] if how == "module" else [str(place / "jobengine_script")]
    names = ("PATH", "HOME", "LANG")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    project = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, *command, "serve", *arguments],
        env=inherited | {"PYTHONPATH": f"{place}:{project}"} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        return Served(process)


@pytest.mark.parametrize("how", ["module", "script"])
def test_the_environment_of_the_server_does_not_hold_the_secret(tmp_path: Path, how: str) -> None:
    served = serve(tmp_path, how=how, SECRET=SECRET)
    assert served.given["secret"] == SECRET
    assert SECRET.encode() not in served.first_environ
    assert b"PYTHONPATH=" in served.first_environ  # it is the environment, and whole
    assert SECRET not in served.environ.values()
    assert not [name for name in served.environ if "SECRET" in name]
    assert served.has_same_pid


def test_no_other_process_of_its_user_can_look_into_it(tmp_path: Path) -> None:
    assert not serve(tmp_path, SECRET=SECRET).is_open


def test_a_secret_of_another_alphabet_comes_through(tmp_path: Path) -> None:
    assert (
        serve(tmp_path, SECRET="Öffne dich, Σesam", LC_ALL="C.UTF-8").given["secret"] == "Öffne dich, Σesam"
    )


def test_a_secret_file_needs_no_second_start(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    served = serve(tmp_path, SECRET_FILE=str(tmp_path / "secret"))
    assert served.given["secret"] == SECRET
    assert SECRET.encode() not in served.first_environ


def test_the_arguments_are_kept(tmp_path: Path) -> None:
    arguments = ("--config", "c.yml", "--db", "d.queuedb", "--host", "::1", "--port", "0")
    served = serve(tmp_path, *arguments, SECRET=SECRET)
    assert served.given == {
        "configuration": "c.yml",
        "database": "d.queuedb",
        "secret": SECRET,
        "host": "::1",
        "port": 0,
    }
    assert served.arguments[-len(arguments) - 1 : -1] == [argument.encode() for argument in arguments]


def test_the_environment_says_where_the_files_are(tmp_path: Path) -> None:
    served = serve(tmp_path, SECRET=SECRET, CONFIG_PATH="/c.yml", DB_PATH="/d.queuedb")
    assert (served.given["configuration"], served.given["database"]) == ("/c.yml", "/d.queuedb")


def test_the_documented_places_are_the_default(tmp_path: Path) -> None:
    served = serve(tmp_path, SECRET=SECRET)
    assert served.given["configuration"] == "/jobengine/config.yml"
    assert served.given["database"] == "/jobengine/database.queuedb"


def test_the_exit_code_is_the_servers(tmp_path: Path) -> None:
    assert serve(tmp_path, SECRET=SECRET).code == 3


def test_a_short_secret_is_warned_of_and_not_shown(tmp_path: Path) -> None:
    served = serve(tmp_path, SECRET="hunter2")
    assert "warning secret_short" in served.errors
    assert "hunter2" not in served.errors


def test_an_unusual_name_of_the_database_is_warned_of(tmp_path: Path) -> None:
    assert "database_name_unusual path=jobs.db" in serve(tmp_path, "--db", "jobs.db", SECRET=SECRET).errors


def test_a_usual_start_warns_of_nothing(tmp_path: Path) -> None:
    assert serve(tmp_path, SECRET=SECRET).errors == ""
