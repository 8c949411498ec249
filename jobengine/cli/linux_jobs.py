"""A server with the routes of the Linux Job Worker, as its commands ask it."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

import msgspec
import urllib3
from msgspec import Struct
from urllib3.exceptions import HTTPError

from jobengine.client.address import DEFAULT_URL, Address
from jobengine.client.reasons import reason
from jobengine.errors import ConfigurationWrong, JobEngineError, NoSuchPath, Unreachable

if TYPE_CHECKING:
    from jobengine.cli.contexts import Context

ANSWER_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 5.0
_REFUSED: Final = 400


AnswerT = TypeVar("AnswerT")


class LinuxJob(Struct, frozen=True):
    """One job, as these routes tell it."""

    id: str
    cmd: str
    status: str
    output: str


class _Ids(Struct, frozen=True, rename={"uids": "idList"}):
    """Those of all jobs that are kept."""

    uids: list[str]


class _Stopped(Struct, frozen=True):
    """What was to be stopped is."""

    success: bool


class _Problem(Struct, frozen=True):
    """A refusal that is none of these routes'."""

    code: str
    detail: str


class LinuxJobs:
    """Asks for one command.

    Raises Unreachable, ConfigurationWrong; JobEngineError for what the server refused, UnicodeEncodeError.
    """

    def __init__(self, where: "Context") -> None:
        """Raises ConfigurationWrong."""
        self._url = (where.url or DEFAULT_URL).rstrip("/")
        files = (None if each is None else Path(each) for each in (where.ca, where.cert, where.key))
        tls = Address(self._url, None, *files).ssl_context
        self._headers = {} if where.name is None else {"X-Name": where.name}
        self._pool = urllib3.PoolManager(ssl_context=tls)

    def start(self, command: list[str]) -> LinuxJob:
        """Have a program run."""
        return self._ask("POST", "", LinuxJob, {"cmd": command})

    def stop(self, uid: str) -> None:
        """End one job."""
        self._ask("DELETE", f"/{quote(uid, safe='')}", _Stopped)

    def uids(self) -> list[str]:
        """Those of all jobs."""
        return self._ask("GET", "", _Ids).uids

    def job(self, uid: str) -> LinuxJob:
        """How one is, and what it has written so far."""
        return self._ask("GET", f"/{quote(uid, safe='')}", LinuxJob)

    def logs(self) -> list[LinuxJob]:
        """All of them, newest first."""
        return self._ask("GET", "/logs", list[LinuxJob])

    def _ask(self, method: str, path: str, told: type[AnswerT], body: object = None) -> AnswerT:
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            answer = self._pool.request(
                method,
                f"{self._url}/jobs{path}",
                body=None if body is None else msgspec.json.encode(body),
                headers=headers,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
            )
        except (HTTPError, ssl.SSLError) as error:
            raise Unreachable(f"no answer from {self._url}: {reason(error)}") from None
        if answer.status >= _REFUSED:
            raise self._refusal(answer.status, answer.data)
        try:
            return msgspec.json.decode(answer.data, type=told)
        except msgspec.DecodeError:
            raise self._no_such_server() from None

    def _refusal(self, status: int, body: bytes) -> JobEngineError:
        try:
            problem = msgspec.json.decode(body, type=_Problem)
        except msgspec.DecodeError:
            text = body.decode("utf-8", "replace")[:1000]
            return JobEngineError(text or f"{self._url} answered {status}, and did not say why")
        return self._no_such_server() if problem.code == NoSuchPath.code else JobEngineError(problem.detail)

    def _no_such_server(self) -> ConfigurationWrong:
        return ConfigurationWrong(f"{self._url} has no such routes: see facades.linux_job_worker")
