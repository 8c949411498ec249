"""What a job says that it wants, read from its content."""

from typing import TypeVar

from msgspec import ValidationError, json

from jobengine.work.outcome import Kind, Refused

_W = TypeVar("_W")


def wanted(reader: json.Decoder[_W], content: bytes, *, like: str) -> _W:
    """Read it. Raises Refused, which says how it must look."""
    try:
        return reader.decode(content)
    except ValidationError as error:
        # The name of a field is the job's own word, and as long as it likes.
        why = "it has a field that is not known" if "unknown field" in str(error) else str(error)
        raise Refused(Kind.CONTENT, f"the content must be {like}: {why}") from None
