"""The lock files pin what pyproject.toml asks for, and name nobody's registry."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
RUN = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["fast"]]
LOCKS = {
    "requirements.lock": RUN,
    "requirements-dev.lock": [*RUN, *GROUPS["dev"], *GROUPS["docs"], *GROUPS["build"]],
    "requirements-build.lock": GROUPS["build"],
}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_a_version_of_everything_that_is_asked_for(lock: str) -> None:
    pinned = _pinned(lock)
    for requirement in map(Requirement, LOCKS[lock]):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_what_is_tested_is_what_runs() -> None:
    assert _pinned("requirements.lock").items() <= _pinned("requirements-dev.lock").items()
    assert _pinned("requirements-build.lock").items() <= _pinned("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert text.count("==") <= text.count("--hash=sha256:")
    assert not re.search(r"://|--index-url|--find-links", text)


def _pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", (ROOT / lock).read_text(), re.MULTILINE))
