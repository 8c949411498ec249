"""The service of the tutorial is built and run here, as its page lets a reader do it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.docs.walkthrough import Reader, steps
from tests.support.ports import free_port

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs/tutorial/thumbnails.md").read_text()
START_SECONDS: Final = 20

_FILE: Final = re.compile(
    r'^```(?:python|yaml) title="(?P<name>[^"]+)"\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE
)
_PART: Final = re.compile(r"^```(?P<kind>sh|console)\n.*?^```$", re.DOTALL | re.MULTILINE)


def test_the_thumbnails_of_the_tutorial_are_made(tmp_path: Path) -> None:
    port = free_port()
    for file in _FILE.finditer(PAGE):
        (tmp_path / file["name"]).write_text(file["text"])
    environment = _environment(port)
    reader = Reader()
    with ExitStack() as terminals:
        for part in _PART.finditer(PAGE):
            if part["kind"] == "sh":
                command = part[0].splitlines()[1].replace("6010", str(port))
                terminals.enter_context(_running(command, tmp_path, environment))
                continue
            for step in steps(part[0]):
                printed = _printed(step.command, tmp_path, environment)
                assert reader.accepts(step.output, printed), f"{step.command}\nprinted\n{printed}"


def _environment(port: int) -> dict[str, str]:
    """The Python of these tests is the one that a reader types."""
    kept_out = ("SECRET", "SECRET_FILE", "CONFIG_PATH", "DB_PATH", "JOBENGINE_NAME")
    kept = {name: value for name, value in os.environ.items() if name not in kept_out}
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # a reader has none
        "JOBENGINE_URL": f"http://127.0.0.1:{port}",
    }
    return {**kept, **own}


@contextmanager
def _running(command: str, directory: Path, environment: dict[str, str]) -> Iterator[None]:
    """A terminal of its own. The broker is waited for; whoever asks it waits for itself."""
    log = directory / "log"
    with log.open("a") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec env {command}"],
            cwd=directory,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "jobengine serve" in command and "serving" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.01)
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _printed(command: str, directory: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).rstrip("\n")
