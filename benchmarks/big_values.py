"""Big values live in the file: many of them must not fill the memory."""

from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench import Bench
from benchmarks.client import Connection, request
from benchmarks.figures import Figure
from benchmarks.job import content, create_body
from benchmarks.server import serving

SIZE = 512 * 1024
CONNECTIONS = 8
MIB = 1 << 20


def big_values(bench: Bench) -> list[Figure]:
    """Memory with 2,000 jobs of 512 KiB, most of all and at the end."""
    share = bench.scale.big_values // CONNECTIONS
    sent = request("PUT", "/api/v1/jobs/create", create_body(50, size=SIZE))
    with serving(bench.database("big_values")) as server:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for _ in pool.map(lambda _: _create(server.port, sent, share), range(CONNECTIONS)):
                pass
        _whole(server.port)
        most, final = server.peak_resident / MIB, server.resident / MIB
    name = f"memory with {share * CONNECTIONS:,} jobs of 512 KiB"
    return [
        Figure(f"{name}, the most", most, "MiB", at_most=150, note=f"sent over {CONNECTIONS} connections"),
        Figure(f"{name}, at the end", final, "MiB", at_most=150),
    ]


def _create(port: int, sent: bytes, count: int) -> None:
    with Connection(port) as connection:
        for _ in range(count):
            connection.expect(201, sent)


def _whole(port: int) -> None:
    """What is handed out is what was sent."""
    with Connection(port) as connection:
        if content(SIZE).encode() not in connection.expect(200, request("GET", "/api/v1/jobs/next")):
            raise RuntimeError("a big value did not come back as it was sent")
