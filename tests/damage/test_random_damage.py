"""Random damage to files of three sizes; `make damage` for more."""

import pytest

from tests.damage.damages import Damages
from tests.damage.subject import COMMITS, make_subject

TIMES = {"small": 2000, "middling": 600, "large": 100}


@pytest.mark.parametrize("name", COMMITS)
async def test_no_damage_passes_in_silence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Damages(await make_subject(name), name).judge(TIMES[name])
    with capsys.disabled():
        print(f"\n{name}: {dict(counts)}")
    assert counts["refused"] > TIMES[name] // 4
