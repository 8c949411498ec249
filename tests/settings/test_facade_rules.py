"""Which routes of older systems are refused, and what is to be done then."""

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.load import parse

QUEUES = (
    "queues:\n"
    "  plain: {read: [], write: []}\n"
    "  shell: {read: [], write: [], run: {type: shell}}\n"
    "  payload: {read: [], write: [], run: {type: payload, command: /bin/date}}\n"
)


def said(text: str) -> str:
    """What is said against it; nothing when it is right."""
    try:
        parse(f"{text}\n{QUEUES}".encode(), source="c.yml", environment={})
    except ConfigurationWrong as wrong:
        return str(wrong)
    return ""


@pytest.mark.parametrize("queue", ["plain", "payload"])
def test_its_queue_must_run_what_it_makes(queue: str) -> None:
    text = said(f"facades: {{linux_job_worker: {{queue: {queue}, service: s}}}}")
    assert f'the queue "{queue}" must have a "run" of type shell' in text


def test_somebody_must_be_known_to_ask() -> None:
    text = said("facades: {linux_job_worker: {queue: shell}}")
    assert 'needs "service", or a certificate of each client (tls.require_client_cert: true)' in text
    assert said("facades: {linux_job_worker: {queue: shell, service: s}}") == ""


@pytest.mark.parametrize(("required", "is_right"), [("true", True), ("false", False)])
def test_a_required_certificate_is_enough(required: str, is_right: bool) -> None:
    tls = f"tls: {{cert: a, key: b, client_ca: c, require_client_cert: {required}}}"
    assert (said(f"{tls}\nfacades: {{linux_job_worker: {{queue: shell}}}}") == "") is is_right
    apart = f"facades: {{linux_job_worker: {{queue: shell, port: 1, {tls}}}}}"
    assert (said(apart) == "") is is_right


def test_the_certificates_of_the_server_say_nothing_on_a_port_of_its_own() -> None:
    tls = "tls: {cert: a, key: b, client_ca: c, require_client_cert: true}"
    text = said(f"{tls}\nfacades: {{linux_job_worker: {{queue: shell, port: 1}}}}")
    assert "facades.linux_job_worker.tls.require_client_cert" in text


def test_tls_of_its_own_needs_a_port_of_its_own() -> None:
    text = said("facades: {linux_job_worker: {queue: shell, service: s, tls: {cert: a}}}")
    assert "facades.linux_job_worker.tls: says nothing without" in text


def test_jobrunner_may_have_a_port_of_its_own_or_not() -> None:
    for port in ("", ", port: 8080"):
        assert said(f"facades: {{jobrunner: {{queue: payload, service: s{port}}}}}") == ""


def test_one_that_is_closed_may_say_anything() -> None:
    assert said("facades: {jobrunner: {password: x}, jobd: {port: 1}}") == ""


@pytest.mark.parametrize(
    ("password", "is_right"), [("", True), ("a b", True), (r"a\r\n", True), (r"\n", False), (r"a\nb", False)]
)
def test_an_empty_line_is_no_password_that_lets_everybody_in(password: str, is_right: bool) -> None:
    text = said(f'facades: {{jobrunner: {{queue: payload, service: s, password: "{password}"}}}}')
    assert (text == "") is is_right
    assert is_right or "facades.jobrunner.password: must be a text of one line" in text
