"""Slurm behind the service that jobd knows: `POST /api/submit`, `GET /api/download/{jobid}`."""

import asyncio
from contextlib import suppress
from hmac import compare_digest, digest
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from msgspec import MsgspecError, Raw, Struct, json

from jobengine.work.bundle import Bundle
from jobengine.work.carried import carried
from jobengine.work.outcome import Broken, Done, Kind, Outcome, Refused
from jobengine.work.slurm.job import Saved, Unreachable
from jobengine.work.source import Claimed

_SECONDS: Final = 60.0  # for one answer
_PARTIAL_MOST: Final = 1024 * 1024  # bytes of JSON: what is told of a job's progress lies in memory
_AROUND: Final = 1024  # bytes of an answer that are not the archive


class _Submitted(Struct, frozen=True):
    jobid: int


class _Downloaded(Struct, frozen=True):
    output: Raw  # base64 of a zip file


class ServiceJob:
    """One job there. It can be neither halted nor cancelled: the service knows no such thing."""

    def __init__(
        self, job: Claimed, url: str, token: str | None, bundle: Bundle, *, archive_bytes: int
    ) -> None:
        """`archive_bytes` is the most that a result may have."""
        self._of = f"{job.queue}/{job.uid}"
        self._key = (token or "").encode()
        self._url = url.rstrip("/")
        self._headers = {} if token is None else {"Authorization": token}  # bare, as jobd sends it
        self._bundle = bundle
        self._answer_most = -(-archive_bytes // 3) * 4 + _AROUND
        self._session: ClientSession | None = None
        self._details: dict[str, Any] = {}

    async def submit(self) -> Saved:
        """Send the bundle as it is. Raises Refused."""
        await asyncio.to_thread(self._bundle.check)
        body = b"".join((b'{"payload":', self._bundle.archive, b"}"))
        try:
            status, answer = await self._ask("POST", "/api/submit", body)
        except Unreachable as error:
            raise _not_taken(str(error)) from None
        if status != 201:
            raise _not_taken(f"the service answered {status}{_hint(status)}")
        try:
            number = json.decode(answer or b"", type=_Submitted).jobid
        except MsgspecError:
            raise _not_taken('the service did not answer {"jobid"}') from None
        self._details = {"slurm_id": number}
        return Saved(number, proof=self._proof(number))

    async def go_on(self, saved: Saved) -> bool:
        """It never stood still."""
        self._details = {"slurm_id": saved.slurm_id}
        return compare_digest(
            self._proof(saved.slurm_id).encode(), (saved.proof or "").encode("utf-8", "replace")
        )

    async def look(self) -> Outcome | None:
        """Its outcome. Raises Unreachable."""
        status, answer = await self._ask("GET", f"/api/download/{self._details['slurm_id']}")
        match status:
            case 200:
                return await asyncio.to_thread(self._done, answer)
            case 204:
                return None
            case 206:
                if answer is not None:
                    self._partly(answer)
                return None
            case 404:
                return Broken(Kind.ERROR, "the Slurm service does not know the job", self._result())
            case 500:
                return Broken(Kind.ERROR, "the Slurm service says that the job failed", self._result())
        raise Unreachable(f"the service answered {status}{_hint(status)}")

    async def suspend(self) -> bool:
        """There is no route for that."""
        return False

    async def resume(self) -> None:
        """It never stood still."""

    async def cancel(self) -> bool:
        """There is no route for that: its result will not be fetched."""
        return False

    async def clean(self, *, is_over: bool) -> None:  # noqa: ARG002 - there is nothing here in any case
        """Close the connection."""
        if self._session is not None:
            await self._session.close()

    def details(self) -> dict[str, Any]:
        """Its number, and what the service already has of its result."""
        return self._details

    def _proof(self, number: int) -> str:
        return digest(self._key, f"{self._of}/{number}".encode(), "sha256").hex()

    def _partly(self, answer: bytes) -> None:
        output = _output(answer)
        if len(memoryview(output)) > _PARTIAL_MOST:
            return
        with suppress(Refused):  # there will be more
            _check(output)
            self._details = self._details | {"archive": output}

    def _done(self, answer: bytes | None) -> Outcome:
        if answer is None:
            text = f"what the Slurm service gave back has more than {self._answer_most} bytes"
            return Broken(Kind.ARCHIVE, text, self._result())
        output = _output(answer)
        try:
            _check(output)
        except Refused as refused:
            text = f"what the Slurm service gave back: {refused.broken.text}"
            return Broken(refused.broken.kind, text, self._result())
        return Done(self._result(archive=output))

    def _result(self, **more: Any) -> bytes:
        return json.encode({"slurm_id": self._details["slurm_id"], **more})

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes | None]:
        """Status and answer; None when that is too long."""
        if self._session is None:
            timeout = ClientTimeout(total=_SECONDS)
            self._session = ClientSession(headers=self._headers, timeout=timeout)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            # No redirects: the token is for this service only.
            async with self._session.request(
                method, self._url + path, data=body, headers=headers, allow_redirects=False
            ) as response:
                return response.status, await self._read(response)
        except (ClientError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            raise Unreachable(f"the Slurm service cannot be reached: {reason}") from None

    async def _read(self, response: ClientResponse) -> bytes | None:
        answer = bytearray()
        async for piece in response.content.iter_any():
            answer += piece
            if len(answer) > self._answer_most:
                return None
        return bytes(answer)


def _output(answer: bytes) -> Raw:
    try:
        return json.decode(answer, type=_Downloaded).output
    except MsgspecError:
        raise Unreachable('the service did not answer {"output"}') from None


def _check(output: Raw) -> None:
    """That it is base64. Raises Refused."""
    for _ in carried(output, name="output"):
        pass


def _hint(status: int) -> str:
    return ": see run.slurm.token" if status in (401, 403) else ""


def _not_taken(why: str) -> Refused:
    return Refused(Kind.NOT_STARTED, f"Slurm did not take it: {why}", retry=None)
