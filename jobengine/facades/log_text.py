"""What a job has written, as one text."""

from collections.abc import Awaitable, Callable

from jobengine.model.blob import Blob
from jobengine.model.log import JobLog, Stream


async def text_of(log: JobLog, content: Callable[[bytes | Blob], Awaitable[bytes]]) -> str:
    """Both streams, in the order in which they came; where some was cut out, that is said."""
    written = bytearray()
    ends = dict.fromkeys(Stream, 0)
    for chunk in log.chunks:
        if (cut := chunk.offset - ends[chunk.stream]) > 0:
            written += f"\n[… {cut} bytes cut …]\n".encode()
        written += await content(chunk.data)
        ends[chunk.stream] = chunk.end
    return written.decode("utf-8", "replace")
