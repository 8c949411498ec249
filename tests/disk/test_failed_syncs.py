"""A sync fails on the real server: ten of them in the ordinary run; `make syncs` for more."""

import shutil
from pathlib import Path

import pytest

from tests.disk.failed_syncs import NUMBERS, fail_sync


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 13, 21, 30, 40, NUMBERS])
def test_after_one_failed_sync_nothing_more_is_promised_and_the_next_start_is_right(
    number: int, tmp_path: Path
) -> None:
    fail_sync(number, tmp_path)
