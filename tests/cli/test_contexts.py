"""`jobengine context`: brokers by a name, and which of them is asked."""

import json
from pathlib import Path

import pytest

from jobengine.cli.contexts import Context, Contexts, context_in_use, load_contexts, save_contexts
from jobengine.errors import ConfigurationWrong
from tests.support.command import run

HERE = Context(url="http://here:1", name="ops", ca="/ca.pem")
THERE = Context(url="http://there:2", name="dev")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    save_contexts(environment, Contexts("here", {"here": HERE, "there": THERE}))
    return environment


def context(tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    done = run("context", *arguments, XDG_CONFIG_HOME=tmp_path)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_contexts_are_kept_for_their_owner_alone(environment: dict[str, str], tmp_path: Path) -> None:
    assert load_contexts(environment).contexts == {"here": HERE, "there": THERE}
    assert (tmp_path / "jobengine" / "contexts.yml").stat().st_mode & 0o777 == 0o600


def test_the_current_one_is_asked_unless_another_is_chosen(environment: dict[str, str]) -> None:
    assert context_in_use(Context(), None, environment) == HERE
    assert context_in_use(Context(), "there", environment) == THERE
    assert context_in_use(Context(), None, {**environment, "JOBENGINE_CONTEXT": "there"}) == THERE


def test_the_environment_goes_before_the_context_and_options_before_both(environment: dict[str, str]) -> None:
    environment |= {"JOBENGINE_URL": "http://third:3", "JOBENGINE_NAME": "third"}
    assert context_in_use(Context(), None, environment) == Context("http://third:3", "third", "/ca.pem")
    assert context_in_use(Context(name="fourth"), None, environment).name == "fourth"


def test_a_context_that_is_named_goes_before_the_environment(environment: dict[str, str]) -> None:
    environment |= {
        "JOBENGINE_URL": "http://third:3",
        "JOBENGINE_CONTEXT": "here",
        "JOBENGINE_CERT": "/c.pem",
    }
    assert context_in_use(Context(), "there", environment) == Context("http://there:2", "dev", cert="/c.pem")
    assert context_in_use(Context(url="http://fifth:5"), "there", environment).url == "http://fifth:5"
    assert context_in_use(Context(), None, environment).url == "http://third:3"


def test_a_context_that_is_not_there_is_refused_with_those_that_are(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationWrong, match="there are: here, there"):
        context_in_use(Context(), "nowhere", environment)


@pytest.mark.parametrize("text", ["contexts: [", "contexts: 1", "kontexts: {}", "\x00"])
def test_a_file_that_is_none_is_told_in_a_line(
    environment: dict[str, str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "jobengine" / "contexts.yml").write_text(text)
    code, out, err = context(tmp_path, "list")
    assert (code, out, err.count("\n")) == (78, "", 1)
    assert "contexts.yml" in err


def test_a_life_of_two_contexts(tmp_path: Path) -> None:
    assert context(tmp_path, "list")[0] == 0
    address = ("--url", "http://here:1", "--name", "ops")
    assert context(tmp_path, "add", "here", *address) == (0, "here: kept, and in use\n", "")
    assert context(tmp_path, "add", "there", *address, "--ca", "ca.pem") == (0, "there: kept\n", "")
    assert context(tmp_path, "use", "there") == (0, "there: in use\n", "")
    _, shown, _ = context(tmp_path, "list")
    assert shown.splitlines() == [
        "   CONTEXT  NAME  URL",
        "   here     ops   http://here:1",
        "*  there    ops   http://here:1",
    ]
    assert context(tmp_path, "remove", "there") == (0, "there: forgotten\n", "")
    assert json.loads(context(tmp_path, "list", "--json")[1]) == {
        "contexts": {"here": {"url": "http://here:1", "name": "ops"}}
    }


def test_what_cannot_be_used_is_not_kept(tmp_path: Path) -> None:
    code, _, err = context(tmp_path, "add", "here", "--url", "here", "--name", "ops")
    assert (code, err.count("\n")) == (78, 1)
    assert context(tmp_path, "use", "here")[0] == 78


def test_without_a_name_nobody_is_asked(tmp_path: Path) -> None:
    done = run("queue", "list", "--url", "http://127.0.0.1:9", XDG_CONFIG_HOME=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (78, 1)
    assert b"--name" in done.stderr


def test_without_a_broker_it_is_69(tmp_path: Path) -> None:
    done = run("queue", "list", "--url", "http://127.0.0.1:9", "--name", "ops", XDG_CONFIG_HOME=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (69, b"", 1)


def test_a_name_of_two_lines_is_none(tmp_path: Path) -> None:
    code, _, err = context(tmp_path, "add", "two\nlines", "--url", "http://there:1", "--name", "ops")
    assert (code, "one line" in err) == (64, True)
