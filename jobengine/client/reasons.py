"""Why no response came, in a few words."""

import os
import ssl


def root(error: BaseException) -> BaseException:
    """The innermost cause: what stands around it says how the client is built."""
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)  # aiohttp's
    inner = inner or error.__cause__ or error.__context__
    return error if inner is None else root(inner)


def reason(error: BaseException) -> str:
    """What went wrong at the bottom of it."""
    error = root(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):  # its number is none of the system's
        said = error.reason or error.strerror or "no reason given"
        return f"no TLS there: {said.replace('_', ' ').lower()}"
    if isinstance(error, OSError):
        number = error.errno or 0  # asyncio has words of its own for some
        return os.strerror(number) if number > 0 else error.strerror or str(error)
    return str(error) or "the connection ended"
