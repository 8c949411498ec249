"""Sizes, and how much memory there is."""

import os
from pathlib import Path

import pytest

from jobengine.settings.memory import machine_memory, parse_memory, parse_size, write_size

PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("512", 512), ("512B", 512), ("1KiB", 1024), ("3 MiB", 3 * 1024**2), ("2TiB", 2 * 1024**4)],
)
def test_a_size_is_bytes_or_has_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "1.5GiB", "1KB", "1kib", "KiB", "1 000", "١KiB", "50%"])
def test_anything_else_is_no_size(text: str) -> None:
    assert parse_size(text) is None


def test_a_percentage_is_of_the_machines_memory() -> None:
    assert parse_memory("50%") == machine_memory() // 2
    assert parse_memory("101%") is None


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (1000, "1000"), (1024, "1KiB"), (1536, "1536"), (1024**2, "1MiB")]
)
def test_a_size_is_written_short(size: int, text: str) -> None:
    assert write_size(size) == text


def test_a_container_has_the_memory_that_it_was_given(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1048576\n")
    assert machine_memory((limit,)) == 1048576


@pytest.mark.parametrize("content", ["max\n", "9223372036854771712\n"])
def test_a_container_without_a_limit_has_the_machines_memory(tmp_path: Path, content: str) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(content)
    assert machine_memory((limit, tmp_path / "not there")) == PHYSICAL
