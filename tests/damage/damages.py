"""What befalls a file, and what becomes of it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Final

from jobengine.journal.frame import HEAD_BYTES
from tests.damage.subject import COMMITS, Subject, make_subject
from tests.journal.damage import verified
from tests.soak.part import Violation

PIECE_DAMAGES: Final = 500
MOST_BYTES: Final = 600  # that are damaged at once: more than a sector


class Damages:
    """Damages one file, again and again."""

    def __init__(self, subject: Subject, seed: str) -> None:
        self._subject = subject
        self._seed = seed
        self._random = Random(seed)

    def judge(self, times: int) -> Counter[str]:
        """So many damages, by what becomes of them. Raises Violation for one that passes in silence."""
        return Counter({"damages": times}) + Counter(self._judge_one() for _ in range(times))

    def _judge_one(self) -> str:
        anchored = self._random.random() < 0.8
        data = self._damaged()
        if data == self._subject.file:
            return "without effect"
        opened = self._subject.opened(data, anchored=anchored)
        if opened.book is None:
            return "refused"
        # With its anchor, or with its seal, a file is whole or refused. Without, a crash may have cut it.
        is_told = anchored or self._has_seal(data)
        possible = self._subject.states[-1:] if is_told else self._subject.states
        if opened.book not in possible:
            raise self._violation(data, f"it is taken for what it never was, with {opened.warnings}")
        if not opened.is_whole:
            return "found when a big value is read"
        return "mended, with a warning" if opened.warnings else self._looked_for(data, anchored=anchored)

    def _has_seal(self, data: bytes) -> bool:
        """Whether the last frame stands where it stood."""
        file = self._subject.file
        return len(data) == len(file) and data.endswith(file[-HEAD_BYTES:])

    def _looked_for(self, data: bytes, *, anchored: bool) -> str:
        """A start does not read a big value that no job has: `db verify` does, and the scrub."""
        if verified(self._subject.disk(data, anchored=anchored)).findings:
            return "found by verify"
        raise self._violation(data, "nobody notices")

    def _violation(self, data: bytes, wrong: str) -> Violation:
        before = self._subject.file
        changed = [at for at, (old, new) in enumerate(zip(before, data, strict=False)) if old != new]
        where = f"bytes {changed[0]} to {changed[-1]}" if changed else f"cut to {len(data)}"
        return Violation(f"{self._subject.name} file, seed {self._seed}, {where}: {wrong}")

    def _damaged(self) -> bytes:
        random, data = self._random, bytearray(self._subject.file)
        start, other = random.randrange(len(data)), random.randrange(len(data))
        piece = data[start : start + random.randint(1, MOST_BYTES)]
        stop = start + len(piece)
        match random.randrange(6):
            case 0:
                data[start] ^= 1 << random.randrange(8)
            case 1:
                data[start:stop] = random.randbytes(len(piece))
            case 2:
                data[start:stop] = bytes(len(piece))
            case 3:
                del data[start:]
            case 4:
                del data[start:stop]
            case 5:
                data[other : other + len(piece)] = piece
        return bytes(data)


def pieces(place: Path) -> Iterator[Counter[str]]:
    """Damages without end, on files of three sizes in turn. Raises Violation."""
    subjects = [asyncio.run(make_subject(name)) for name in COMMITS]
    while True:
        for subject in subjects:
            yield Damages(subject, token_hex(4)).judge(PIECE_DAMAGES)
