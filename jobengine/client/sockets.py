"""The I/O of the blocking client: urllib3, whose pool of connections may be used by many threads."""

import ssl
from typing import Final

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from jobengine.client.address import Address
from jobengine.client.exchange import Request, Response, Unanswered
from jobengine.client.headers import headers
from jobengine.client.reasons import advice, reason, root

CONNECTIONS_KEPT: Final = 100
CONNECT_SECONDS: Final = 5.0


class Sockets:
    """Sends one request at a time for each thread, over connections that are kept."""

    def __init__(self, address: Address, *, answer_seconds: float) -> None:
        self._address = address
        self._answer_seconds = answer_seconds
        options = {} if (tls := address.ssl_context) is None else {"ssl_context": tls}
        self._pool = urllib3.connection_from_url(address.url, maxsize=CONNECTIONS_KEPT, **options)

    def send(self, request: Request) -> Response | Unanswered:
        """Whatever came of it."""
        seconds = urllib3.Timeout(connect=CONNECT_SECONDS, read=self._answer_seconds + request.wait)
        try:
            answer = self._pool.urlopen(
                request.method,
                f"{self._address.path}{request.path}",
                body=request.body,
                headers=headers(request, self._address),
                retries=False,
                redirect=False,
                timeout=seconds,
            )
        except (NewConnectionError, ConnectTimeoutError) as error:
            return Unanswered(reason(error), was_sent=False)
        except ReadTimeoutError:
            return Unanswered("no answer in time")
        except HTTPError as error:
            was_sent = not isinstance(root(error), ssl.SSLCertVerificationError)
            return Unanswered(reason(error), was_sent=was_sent, advice=advice(error, self._address))
        return Response(answer.status, answer.data, answer.headers)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._pool.close()
