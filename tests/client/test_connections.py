"""What the clients make of bad connections, both alike."""

import json
from pathlib import Path

import pytest

from jobengine.errors import ConfigurationWrong, OutcomeUnknown, Unreachable
from jobengine.testing import Broker
from tests.client.asking import Ask, both
from tests.client.certificates import Certificates
from tests.client.rough_server import CUT, HANG, RoughServer, ok
from tests.client.scripts import job
from tests.support.ports import free_port

JOB = ok(json.dumps(job()))
CUT_SHORT = JOB[:-20]


@both
def test_a_connection_is_kept(ask: Ask) -> None:
    with RoughServer([JOB, JOB]) as server:
        ask(server.url, lambda client: client.get("mail", "a"), lambda client: client.get("mail", "a"))
        assert server.connections == 1


@both
def test_a_connection_that_the_broker_closed_meanwhile_is_replaced(ask: Ask) -> None:
    with RoughServer([JOB, ok('{"jobs": []}')]) as server:
        asks = (
            lambda client: client.get("mail", "a"),
            lambda _: server.cut(),
            lambda client: client.claim("mail"),
        )
        assert ask(server.url, *asks) == []
        assert server.connections == 2


@both
def test_a_create_survives_a_connection_that_breaks(ask: Ask) -> None:
    with RoughServer([CUT, JOB]) as server:
        assert ask(server.url, lambda client: client.create("mail", 1)).content == {"to": "anna"}
        first, second = server.requests
        assert first == second


@both
def test_a_claim_whose_answer_was_cut_short_is_not_repeated(ask: Ask) -> None:
    with RoughServer([CUT, JOB]) as server:
        with pytest.raises(OutcomeUnknown):
            ask(server.url, lambda client: client.claim("mail"))
        assert len(server.requests) == 1


@both
def test_a_delete_over_a_kept_connection_that_breaks_is_not_repeated(ask: Ask) -> None:
    with RoughServer([JOB, CUT, JOB]) as server:
        asks = (lambda client: client.get("mail", "a"), lambda client: client.delete("mail", "a"))
        with pytest.raises(OutcomeUnknown):
            ask(server.url, *asks)
        assert len(server.requests) == 2


@both
def test_who_finds_nobody_is_told_so(ask: Ask) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=rf"nobody answers at {url} \(Connection refused\)"):
        ask(url, lambda client: client.queues(), retry_seconds=0)


@both
def test_a_broker_that_is_silent_is_not_waited_for_for_ever(ask: Ask) -> None:
    with RoughServer([HANG]) as server, pytest.raises(Unreachable, match="no answer in time"):
        ask(server.url, lambda client: client.queues(), answer_seconds=0.05, retry_seconds=0)


@both
def test_a_broker_that_comes_back_is_found_again(ask: Ask) -> None:
    with RoughServer([CUT, CUT, JOB]) as server:
        assert ask(server.url, lambda client: client.get("mail", "a")).uid == job()["uid"]
        assert len(server.requests) == 3


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, and what it signed for the broker and for a service."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@both
def test_a_broker_is_known_by_its_certificate(ask: Ask, certificates: Certificates) -> None:
    with RoughServer([JOB], tls=certificates.server()) as server:
        got = ask(server.url, lambda client: client.get("mail", "a"), ca=certificates.ca)
        assert got.uid == job()["uid"]


@both
def test_a_broker_that_cannot_prove_itself_is_told_nothing(ask: Ask, certificates: Certificates) -> None:
    with RoughServer([JOB], tls=certificates.server()) as server:
        with pytest.raises(Unreachable, match="certificate"):
            ask(server.url, lambda client: client.claim("mail"), retry_seconds=0)
        assert server.requests == []


@both
def test_a_broker_that_speaks_no_tls_is_told_apart(ask: Ask, running: Broker) -> None:
    url = running.url.replace("http:", "https:")
    with pytest.raises(Unreachable, match=r"\(no TLS there: "):
        ask(url, lambda client: client.get("mail", "a"), retry_seconds=0)


@both
def test_a_service_shows_its_own_certificate(ask: Ask, certificates: Certificates) -> None:
    with RoughServer([JOB], tls=certificates.server(asks_for_certificates=True)) as server:
        files = {"ca": certificates.ca, "cert": certificates.cert, "key": certificates.key}
        assert ask(server.url, lambda client: client.get("mail", "a"), **files).uid == job()["uid"]


@both
def test_certificate_files_that_are_not_there_are_named_at_once(ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match=r"cannot be used: /.*/missing: No such file"):
        ask("https://127.0.0.1:1", lambda client: client.queues(), ca=tmp_path / "missing")


@both
def test_who_does_not_say_a_name_is_told_how(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBENGINE_NAME", raising=False)
    with pytest.raises(ConfigurationWrong, match="JOBENGINE_NAME"):
        ask("http://127.0.0.1:1", lambda client: client.queues(), name=None)


@both
def test_address_and_name_come_from_the_environment(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with RoughServer([JOB]) as server:
        monkeypatch.setenv("JOBENGINE_URL", server.url + "/")
        monkeypatch.setenv("JOBENGINE_NAME", "resizer")
        assert ask(None, lambda client: client.address.name, name=None) == "resizer"
        assert ask(None, lambda client: client.get("mail", "a"), name=None).uid == job()["uid"]


@both
@pytest.mark.parametrize(
    "url", ["localhost:6010", "http://", "http://[::1", "http://host:x", "http://host:99999"]
)
def test_an_address_that_is_none_is_refused(ask: Ask, url: str) -> None:
    with pytest.raises(ConfigurationWrong, match="the broker's address is like"):
        ask(url, lambda client: client.queues())


@both
@pytest.mark.parametrize("name", ["two\nlines", "gr\u00fcn", "\udcff"])
def test_a_name_that_no_header_can_say_is_refused(ask: Ask, name: str) -> None:
    with pytest.raises(ConfigurationWrong, match="one line of ASCII"):
        ask("http://127.0.0.1:1", lambda client: client.queues(), name=name)
