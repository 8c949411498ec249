"""Every refusal, each with a stable code. Which HTTP status or exit code that is, the doors decide."""

from typing import ClassVar

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One of several things wrong with what was sent."""

    pointer: str  # a JSON pointer (RFC 6901) into the body, or the name of a header
    detail: str


class JobEngineError(Exception):
    """Base of all refusals. `code` is stable, and part of the API; `detail` is for people."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, detail: str, *, errors: tuple[Problem, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


# --- who is asking, and may they ---


class HeaderMissing(JobEngineError):
    """A header that says who asks, or for which queue, is not there."""

    code = "header_missing"


class DuplicateHeader(JobEngineError):
    """A header that may stand only once stands twice: nobody can say which one counts."""

    code = "duplicate_header"


class NotFound(JobEngineError):
    """No such queue or job, or the caller has no right to know of it."""

    code = "not_found"

    def __init__(self) -> None:
        # The same words for all, so that nobody learns which queues there are.
        super().__init__("there is no such queue or job, or you have no right on it")


class Forbidden(JobEngineError):
    """The caller has a right on this queue, but not the one needed."""

    code = "forbidden"


class CertificateUnknown(JobEngineError):
    """Who asks has a certificate, but it does not say for which service, or the header says another."""

    code = "auth_invalid"


class PasswordWrong(JobEngineError):
    """A password is needed, and is missing or wrong."""

    code = "auth_required"


class HostRefused(JobEngineError):
    """The Host header names a host that this server does not answer for."""

    code = "host_refused"


class OriginRefused(JobEngineError):
    """A browser sends this from a page of another origin."""

    code = "origin_refused"


# --- what was sent ---


class BadRequest(JobEngineError):
    """Not HTTP, or not as HTTP allows."""

    code = "bad_request"


class HeadersTooLarge(JobEngineError):
    """Too many header fields, or one too long."""

    code = "headers_too_large"


class UriTooLong(JobEngineError):
    """The request target is too long."""

    code = "uri_too_long"


class NoSuchPath(JobEngineError):
    """Nothing is served under this path."""

    code = "no_such_path"


class MethodNotAllowed(JobEngineError):
    """The path is known, but not with this method."""

    code = "method_not_allowed"

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__(f"this path takes {', '.join(sorted(allowed))}")
        self.allowed = allowed


class BodyTimeout(JobEngineError):
    """The body was not complete in time."""

    code = "body_timeout"


class BodyTooLarge(JobEngineError):
    """The body is over the limit."""

    code = "body_too_large"


class UnsupportedMediaType(JobEngineError):
    """Something other than plain JSON was announced."""

    code = "unsupported_media_type"


class InvalidJson(JobEngineError):
    """The body is not strict JSON."""

    code = "invalid_json"


class ValidationFailed(JobEngineError):
    """JSON, but not what this command needs. `errors` holds all that is wrong."""

    code = "validation_failed"


# --- the state of things ---


class BadState(JobEngineError):
    """The job's state does not allow this."""

    code = "bad_state"


class LeaseLost(JobEngineError):
    """The job is not the caller's any more: its lease is over, or somebody else has it now."""

    code = "lease_lost"

    def __init__(self) -> None:
        super().__init__("the lease is over: the job is not yours any more")


class VersionChanged(JobEngineError):
    """The job has changed since the caller saw it."""

    code = "version_changed"

    def __init__(self) -> None:
        super().__init__("the job has changed since you saw it: look at it again")


class KeyReused(JobEngineError):
    """The idempotency key stands for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for a request with another body")


class QueueFull(JobEngineError):
    """No room for another job."""

    code = "queue_full"


class LogFull(JobEngineError):
    """A job has written as much as its queue keeps."""

    code = "log_full"


class Unavailable(JobEngineError):
    """Starting, stopping, too busy, or waiting for a disk that hangs: try again soon."""

    code = "unavailable"


class StorageFull(JobEngineError):
    """The disk has no room. Nothing was changed."""

    code = "storage_full"


class OutcomeUnknown(JobEngineError):
    """A write failed, or hangs, in a way that leaves open whether it survives. Ask again later."""

    code = "outcome_unknown"


# --- what is run ---


class ArchiveRefused(JobEngineError):
    """An archive, or base64, that is not taken: broken, hostile or too big."""

    code = "archive_refused"


# --- what keeps the server from running; `exit_code` as in sysexits.h ---


class Fatal(JobEngineError):
    """The server cannot go on. One line, and what to do."""

    code = "fatal"
    exit_code: ClassVar[int] = 1


class Unreachable(Fatal):
    """A port in use, or nobody there."""

    code = "unreachable"
    exit_code = 69


class Damaged(Fatal):
    """The database file is damaged, rolled back, or of a newer version."""

    code = "damaged"
    exit_code = 65


class InputOutputFailed(Fatal):
    """The disk refused, and what it holds now is unknown."""

    code = "io_failed"
    exit_code = 74


class Locked(Fatal):
    """Another process has the database file open."""

    code = "locked"
    exit_code = 75


class Interrupted(Fatal):
    """Ctrl-C ended the command. The line says what became of what it had begun."""

    code = "interrupted"
    exit_code = 130


class WrongSecret(Fatal):
    """The SECRET does not open the database file."""

    code = "wrong_secret"
    exit_code = 77


class ConfigurationWrong(Fatal):
    """The configuration cannot be used. `mistakes` holds all of them, one line each."""

    code = "configuration"
    exit_code = 78

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
