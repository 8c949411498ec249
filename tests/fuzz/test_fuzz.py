"""A minute of junk in the ordinary run; `make fuzz` for more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.fuzz import of_the_server, searches
from tests.fuzz.target import Found, Target, search, search_for

SECONDS_EACH = 6.0  # eleven of them: a minute together
INSIDE = {target.name: target for target in searches.INSIDE}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    """Those of a real server."""
    with of_the_server.targets(tmp_path_factory.mktemp("fuzz")) as targets:
        yield {target.name: target for target in targets}


@pytest.mark.parametrize("name", INSIDE)
def test_nothing_but_a_refusal_comes_of_junk(name: str) -> None:
    assert search_for(INSIDE[name], SECONDS_EACH, first=0) > 100


@pytest.mark.parametrize("name", of_the_server.NAMES)
def test_a_server_bears_junk_and_serves_on(doors: dict[str, Target], name: str) -> None:
    assert search_for(doors[name], SECONDS_EACH, first=0) > 100


def test_each_target_has_a_goal(doors: dict[str, Target]) -> None:
    assert searches.GOAL.keys() == INSIDE.keys() | doors.keys()


def test_what_fails_is_made_small_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(value: int) -> None:
        assert value < 1_000

    monkeypatch.setattr("tests.fuzz.target.KEPT", tmp_path)
    with pytest.raises(Found, match=r"bears this badly:\n1000\n") as found:
        search(Target("numbers", st.integers(), check), 7)
    assert "\n1000\n" in found.value.keep().read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["numbers-7.txt"]
