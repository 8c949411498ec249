"""Root's jobs are somebody else's."""

import os

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.work.spawner.user import User, user_for


def test_root_must_say_as_whom_jobs_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ConfigurationWrong, match="user: nobody"):
        user_for(None, is_sandboxed=False)


def test_roots_sandbox_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert user_for(None, is_sandboxed=True) == User.named("nobody")


def test_root_runs_no_job_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ConfigurationWrong, match="not run as root"):
        user_for("root", is_sandboxed=False)


def test_a_user_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(ConfigurationWrong, match="no user no-such-user"):
        User.named("no-such-user")


def test_others_run_jobs_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: User.named("nobody").user_id)
    assert user_for(None, is_sandboxed=False) is None
    assert user_for("nobody", is_sandboxed=False) is None
    with pytest.raises(ConfigurationWrong, match="only root can run jobs as daemon"):
        user_for("daemon", is_sandboxed=False)


def test_nobody_in_the_configuration_is_for_root_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: User.named("daemon").user_id)
    assert user_for("nobody", is_sandboxed=False) is None


def test_a_user_has_all_of_their_groups() -> None:
    assert User.named("nobody").group_id in User.named("nobody").groups
