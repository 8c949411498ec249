"""What was needed for one large value is not held for ever."""

import subprocess
import sys

# After the first block has taught glibc to keep such, each of the others has something small above it.
PROGRAM = """
from pathlib import Path
from jobengine.work.large_blocks import give_large_blocks_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

assert give_large_blocks_back()
bytes(bytearray(24 << 20))
before, kept = resident(), []
for _ in range(20):
    large = bytearray(b"x" * (20 << 20))
    kept.append(bytes(1000))
    del large
print(resident() - before)
"""


def test_a_large_block_that_is_freed_is_the_systems_again() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True)
    assert int(said.stdout) < 8 << 20
