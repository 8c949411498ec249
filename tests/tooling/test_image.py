"""The steps of the Dockerfile, done by hand in a clean directory: no container engine is needed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel that the image installs, and nothing else of the project."""
    context, image = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("image")
    for source in _copied():
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, context / source)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", "."]
    subprocess.run(wheel, cwd=context, check=True)
    (wheel_file,) = (context / "dist").glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", image, wheel_file], check=True)
    return image


@pytest.fixture
def served(image: Path, tmp_path: Path) -> Iterator[Path]:
    """The image's own command, in a folder of its own; a free port in the place of 6010."""
    port = free_port()
    volume = tmp_path / "jobengine"
    volume.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(image),
        "CONFIG_PATH": str(volume / "config.yml"),
        "DB_PATH": str(volume / "database.queuedb"),
        "SECRET": "hex:" + "5e" * 32,
    }
    (volume / "config.yml").write_text(f"port: {port}\nqueues: {{}}\n")  # `_port` reads it here
    command = [sys.executable, str(image / "bin/jobengine"), *_instruction("CMD")[:-1], str(port)]
    with subprocess.Popen(command, cwd=volume, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            yield volume
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0


def test_the_image_serves_and_finds_itself_healthy(served: Path) -> None:
    assert any(_is_healthy_soon(_port(served)) for _ in range(50)), "not healthy after ten seconds"
    assert (served / "database.queuedb").exists()


def test_the_health_check_fails_where_nobody_answers() -> None:
    assert not _is_healthy(free_port())


def test_only_what_the_image_copies_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert sent == set(_copied())


def test_the_image_runs_as_the_user_that_its_volume_belongs_to() -> None:
    user, _, group = _one("USER").partition(":")
    assert f"--owner={user} --group={group} --mode=0700 {_one('VOLUME')}" in DOCKERFILE
    assert int(user) > 0


def test_compose_gives_the_container_no_more_than_it_needs() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["jobengine"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "SECRET" not in service["environment"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def _copied() -> list[str]:
    copies = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    return [source for copy in copies for source in copy.split()]


def _one(instruction: str) -> str:
    (value,) = re.findall(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)
    return str(value)


def _instruction(name: str) -> list[str]:
    return list(yaml.safe_load(_one(name)))


def _is_healthy(port: int) -> bool:
    check = yaml.safe_load(DOCKERFILE.partition("HEALTHCHECK")[2].partition("CMD ")[2].partition("\n")[0])
    command = [sys.executable, *check[1:-1], check[-1].replace("6010", str(port))]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _is_healthy_soon(port: int) -> bool:
    time.sleep(0.1)
    return _is_healthy(port)


def _port(volume: Path) -> int:
    return int(yaml.safe_load((volume / "config.yml").read_text())["port"])
