"""The command `jobengine`, as its own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

QUEUE = "queues: {mail: {read: [], write: []}}\n"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("SECRET", "CONFIG_PATH"))
    }
    return subprocess.run(
        [sys.executable, "-m", "jobengine", *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version_names_what_it_stands_on() -> None:
    finished = run("version")
    assert finished.returncode == 0
    assert [line.split()[0] for line in finished.stdout.splitlines()][:3] == [
        "jobengine",
        "python",
        "aiohttp",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["config"],
        ["sevre"],
        ["--no"],
        ["serve", "--no"],
        ["serve", "now"],
        ["serve", "--port"],
        ["serve", "--port", "x"],
        ["serve", "--port", "65536"],
    ],
)
def test_a_wrong_usage_exits_with_64_and_without_a_traceback(arguments: list[str]) -> None:
    finished = run(*arguments)
    assert finished.returncode == 64
    assert finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["config", "check", "--help"]])
def test_help_is_no_mistake(arguments: list[str]) -> None:
    assert run(*arguments).returncode == 0


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'aiohttp', 'cryptography', 'structlog', 'yaml', 'watchfiles', 'asyncio', 'rich'}"
    program = (
        f"import sys, jobengine.cli.main as m; m.application(); print(sorted({heavy} & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert finished.stdout == "[]\n"


def test_config_check_says_how_many_queues_there_are(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(QUEUE)
    finished = run("config", "check", "--config", str(path))
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, f"{path}: fine: 1 queue\n", "")


def test_config_check_finds_the_file_by_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("queues: {}")
    assert run("config", "check", CONFIG_PATH=str(path)).stdout == f"{path}: fine: 0 queues\n"


def test_config_check_prints_every_mistake_and_exits_with_78(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(f"prot: 1\nport: x\n{QUEUE}")
    finished = run("config", "check", "--config", str(path))
    assert (finished.returncode, finished.stdout) == (78, "")
    assert finished.stderr.splitlines() == [
        f'{path}:1: unknown key "prot" (did you mean "port"?)',
        f'{path}:2: port: must be a whole number from 0 to 65535, not "x"',
    ]


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "SECRET: is not set; "),
        ({"SECRET": ""}, "SECRET: is empty"),
        ({"SECRET": "a", "SECRET_FILE": "/b"}, "SECRET and SECRET_FILE: both are set; "),
        ({"SECRET_FILE": "/nowhere"}, "SECRET_FILE: /nowhere cannot be read: "),
        ({"SECRET": "a", "LOG_LEVEL": "loud"}, "LOG_LEVEL: must be one of "),
    ],
)
def test_serve_without_what_it_needs_exits_with_78_and_one_line(
    environment: dict[str, str], line: str
) -> None:
    finished = run("serve", **environment)
    assert finished.returncode == 78
    assert finished.stderr.startswith(line)
    assert finished.stderr.count("\n") == 1
