"""What a right configuration comes to mean."""

from pathlib import Path
from textwrap import dedent

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.load import load, parse
from jobengine.settings.schema import EVERYONE, DatabaseSettings, QueueSettings, Settings

GIBIBYTE = 1024**3


def settings_of(text: str, **environment: str) -> Settings:
    return parse(dedent(text).encode(), source="config.yml", environment=environment)


def test_the_documented_example_is_read_as_documented() -> None:
    settings = settings_of("""\
        version: 1
        port: 6010
        job_keep_minutes: 60
        job_timeout_minutes: 10
        queues:
          test_queue_1:
            read:
            - service1
            - service2
            write:
            - service3
          test_queue_2:
            read:
            - service3
            write:
            - service1
            - service2
        """)
    assert (settings.port, settings.host) == (6010, "127.0.0.1")
    assert settings.queues == (
        QueueSettings(
            "test_queue_1", read=frozenset({"service1", "service2"}), write=frozenset({"service3"})
        ),
        QueueSettings(
            "test_queue_2", read=frozenset({"service3"}), write=frozenset({"service1", "service2"})
        ),
    )


def test_a_file_without_options_has_the_defaults() -> None:
    assert settings_of("queues: {}") == Settings()


def test_a_version_of_1_point_0_is_1() -> None:
    assert settings_of("version: 1.0\nqueues: {}").version == 1


def test_a_queue_takes_the_times_of_the_file_unless_it_has_its_own() -> None:
    first, second = settings_of("""\
        queues:
          first: {read: [], write: []}
          second: {read: [], write: [], job_keep_minutes: 0.5, job_timeout_minutes: 3, max_attempts: 4}
        job_keep_minutes: 7
        job_timeout_minutes: 8
        """).queues
    assert (first.job_keep_minutes, first.job_timeout_minutes, first.max_attempts) == (7, 8, 1)
    assert (second.job_keep_minutes, second.job_timeout_minutes, second.max_attempts) == (0.5, 3, 4)


def test_a_star_stands_for_every_service() -> None:
    (queue,) = settings_of("queues: {mail: {read: ['*'], write: [a, '*']}}").queues
    assert queue.read == {EVERYONE}
    assert queue.write == {EVERYONE, "a"}


@pytest.mark.parametrize(
    ("written", "size"),
    [("2GiB", 2 * GIBIBYTE), ("2 GiB", 2 * GIBIBYTE), ("1048576", 1024**2), ("1024KiB", 1024**2)],
)
def test_memory_is_bytes_or_a_size(written: str, size: int) -> None:
    assert settings_of(f"limits: {{memory: {written}}}\nqueues: {{}}").limits.memory == size


def test_half_of_the_memory_is_the_default() -> None:
    assert settings_of("limits: {memory: 50%}\nqueues: {}") == settings_of("queues: {}")


def test_options_of_sections_come_to_their_place() -> None:
    settings = settings_of("""\
        database: {compact_above_mib: 1, compact_live_ratio: 0.25}
        metrics: {host: "::1", port: 9100}
        allowed_hosts: [jobs.example.org]
        admin: [ops]
        queues: {}
        """)
    assert settings.database == DatabaseSettings(compact_above_mib=1, compact_live_ratio=0.25)
    assert (settings.metrics.host, settings.metrics.port) == ("::1", 9100)
    assert (settings.allowed_hosts, settings.admin) == (("jobs.example.org",), {"ops"})


def test_aliases_may_share_a_list() -> None:
    (first, second) = settings_of("queues:\n  a: &a {read: [x], write: [y]}\n  b: *a\n").queues
    assert (first.read, first.write) == (second.read, second.write)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse(b"\xef\xbb\xbfqueues: {}", source="config.yml", environment={}) == Settings()


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match=r"config\.yml: cannot be read: No such file or directory"):
        load(tmp_path / "config.yml", {})
