"""What the pages about queues and about older systems let an operator type is true."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.docs.walkthrough import steps
from tests.support.command import run

HOW_TO: Final = Path(__file__).parents[2] / "docs" / "how-to"


def test_a_service_is_told_what_it_may_do_as_the_page_shows(tmp_path: Path) -> None:
    page = (HOW_TO / "queues.md").read_text()
    configuration = tmp_path / "config.yml"
    configuration.write_text(re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[0])
    (shown,) = (step for step in steps(page) if "config explain" in step.command)
    told = run(*shown.command.split()[1:], CONFIG_PATH=configuration)
    assert told.stdout.decode().rstrip("\n") == shown.output


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("moving-from-*.md")), ids=lambda page: page.stem)
def test_the_first_start_of_an_older_system_has_its_directory_and_a_secret_that_stays(
    page: Path, tmp_path: Path
) -> None:
    text = page.read_text()
    (prepare,) = re.findall(r"^mkdir -p data; .*$", text, re.MULTILINE)
    assert re.search(
        r"^SECRET_FILE=data/secret .*jobengine serve .* --db data/\w+\.queuedb$", text, re.MULTILINE
    )
    secret = tmp_path / "data" / "secret"
    made = [_after(prepare, tmp_path, secret) for _ in range(2)]
    assert made[0] == made[1] != b""
    assert secret.stat().st_mode & 0o077 == 0


def _after(command: str, directory: Path, file: Path) -> bytes:
    subprocess.run(["bash", "-c", command], cwd=directory, check=True)
    return file.read_bytes()
