"""A disk that is really full: once in the ordinary run; `make full-disk` for more."""

import os
from pathlib import Path

import pytest

from tests.disk.full import fill_and_free


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a small file system")
def test_a_disk_that_is_filled_and_freed_under_load_loses_nothing_and_serves_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = fill_and_free(tmp_path)
    with capsys.disabled():
        print(f"\n{dict(counts)}")
