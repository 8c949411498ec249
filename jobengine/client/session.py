"""The I/O of the asynchronous client: aiohttp."""

import asyncio
from io import BytesIO
from typing import Final

import aiohttp
from yarl import URL

from jobengine.client.address import Address
from jobengine.client.exchange import Request, Response, Unanswered
from jobengine.client.headers import headers
from jobengine.client.reasons import advice, reason

CONNECT_SECONDS: Final = 5.0
# A body that may be refused for its size is sent when it is wanted: who refuses it closes the connection.
LARGE_BYTES: Final = 512 * 1024


class Session:
    """Sends requests over connections that are kept, from the event loop that first sends one."""

    def __init__(self, address: Address, *, answer_seconds: float) -> None:
        self._address = address
        self._answer_seconds = answer_seconds
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response | Unanswered:
        """Whatever came of it. Who is cancelled closes the connection: the broker sees it go."""
        is_large = len(request.body or b"") > LARGE_BYTES
        session = self._session = self._session or self._opened()
        timeout = aiohttp.ClientTimeout(
            sock_connect=CONNECT_SECONDS, sock_read=self._answer_seconds + request.wait
        )
        try:
            async with session.request(
                request.method,
                URL(f"{self._address.url}/api/v2{request.path}", encoded=True),
                data=BytesIO(request.body) if is_large and request.body else request.body,
                headers=headers(request, self._address),
                skip_auto_headers=("Content-Type",),  # aiohttp's own, for no body at all
                timeout=timeout,
                expect100=is_large,
                allow_redirects=False,
                middlewares=(_only_once,) if request.once else (),
            ) as answer:
                return Response(answer.status, await answer.read(), answer.headers)
        except aiohttp.ClientConnectorCertificateError as error:
            asked = await asyncio.to_thread(advice, error, self._address)
            return Unanswered(reason(error), was_sent=False, advice=asked)
        except aiohttp.ConnectionTimeoutError as error:
            return Unanswered(reason(error), was_sent=False)
        except aiohttp.ClientConnectorError as error:
            return Unanswered(reason(error), was_sent=False, advice=advice(error, self._address))
        except TimeoutError:
            return Unanswered("no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Unanswered(reason(error), advice=advice(error, self._address))

    async def close(self) -> None:
        """Close the connections that are kept."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
            await asyncio.sleep(0)  # the transports close in the next turn

    def _opened(self) -> aiohttp.ClientSession:
        tls = self._address.ssl_context
        connector = aiohttp.TCPConnector(limit=0, ssl=True if tls is None else tls)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def _only_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Where a kept connection breaks, aiohttp itself would repeat a DELETE, but not after this error."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError from error
