"""Which SECRET opens the file, and which two may while it is changed."""

from jobengine.errors import WrongSecret
from jobengine.journal.header import FRAMES_START, read_header
from jobengine.journal.keys import Secret
from tests.simulation.oracle import Oracle
from tests.support.brokers import PATH, SECRET_TEXT
from tests.support.disk import SimulatedDisk


class Keyring:
    """Kept by whoever changes the SECRET. It outlives the broker."""

    def __init__(self, oracle: Oracle) -> None:
        self.present = SECRET_TEXT
        self._oracle = oracle
        self._next: str | None = None  # while nobody knows whether it opens the file already

    def begin(self, secret: str) -> None:
        """This one is to take the place of the present one."""
        self._next = secret

    def done(self) -> None:
        """Somebody was told that it has."""
        assert self._next is not None
        self.present, self._next = self._next, None

    def refused(self) -> None:
        """Somebody was told that it has not."""
        self._next = None

    def opening(self, disk: SimulatedDisk) -> str:
        """The one that opens the file. Raises Violation unless it is exactly one of those that may.

        Both may until `opened`: power lost while the broker starts takes a rename back that is not synced.
        """
        possible = [secret for secret in (self.present, self._next) if secret is not None]
        opening = [secret for secret in possible if _opens(disk, secret)]
        if len(opening) != 1:
            raise self._oracle.violated(f"{len(opening)} of {len(possible)} SECRETs open the file")
        return opening[0]

    def opened(self, secret: str) -> None:
        """A broker has started with this one: from now on no other opens the file."""
        self.present, self._next = secret, None


def _opens(disk: SimulatedDisk, secret: str) -> bool:
    if PATH not in disk.files:
        return secret == SECRET_TEXT  # the file is still to be made
    header, _ = read_header(disk.content(PATH)[:FRAMES_START])
    try:
        header.unlock(Secret.parse(secret))
    except WrongSecret:
        return False
    return True
