"""A server with the routes of the Linux Job Worker, as its commands ask it."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from jobengine.client.address import DEFAULT_URL, Address
from jobengine.client.reasons import reason
from jobengine.errors import ConfigurationWrong, JobEngineError, Unreachable

if TYPE_CHECKING:
    from jobengine.cli.contexts import Context

ANSWER_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 5.0
_REFUSED: Final = 400


class LinuxJobs:
    """Asks for one command."""

    def __init__(self, where: "Context") -> None:
        """Raises ConfigurationWrong."""
        self._url = (where.url or DEFAULT_URL).rstrip("/")
        files = (None if each is None else Path(each) for each in (where.ca, where.cert, where.key))
        tls = Address(self._url, None, *files).ssl_context
        self._headers = {} if where.name is None else {"X-Name": where.name}
        self._pool = urllib3.PoolManager(ssl_context=tls)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of the answer. Raises Unreachable; JobEngineError says what the server refused."""
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
            raise JobEngineError(answer.data.decode("utf-8", "replace")[:1000])
        try:
            return msgspec.json.decode(answer.data)
        except msgspec.DecodeError:
            raise ConfigurationWrong(f"{self._url} is no server with these routes") from None
