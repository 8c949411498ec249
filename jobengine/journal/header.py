"""The header of a database file: what it is, and its wrapped data key.

It is written twice, at 0 and at 4096, and stays the same for the life of the file. Little-endian:

       0   8  magic
       8   2  format, major: a reader of another major cannot read it
      10   2  format, minor
      12   4  KDF: scrypt (1) or HKDF (0), log2 N, r, p
      16  16  file id
      32  16  parent: the file that this one was compacted from, or zeros
      48   8  parent: its last sequence number that is in here
      56   8  created, ms since the Unix epoch
      64  32  salt of the KDF
      96  72  data key under XAES-256-GCM: nonce (24), key (32), tag (16); bytes 0 to 96 are associated data
     168  32  key commitment
     200      zeros
     480  32  SHA-256 of all before: tells a damaged header from a wrong SECRET
     512      zeros up to 4096
"""

import hashlib
import hmac
import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from msgspec import Struct
from msgspec.structs import replace

from jobengine.errors import Damaged, WrongSecret
from jobengine.journal.cipher import NONCE_BYTES, TAG_BYTES, Xaes
from jobengine.journal.frame import Place
from jobengine.journal.keys import KEY_BYTES, Kdf, Keys, Secret

COPY_BYTES: Final = 4096
FRAMES_START: Final = 2 * COPY_BYTES

_MAGIC: Final = b"\x89JOBQ\r\n\x1a"
MAJOR: Final = 1
_MINOR: Final = 0
_OPENING: Final = struct.Struct("<8sHH4B16s16sQQ32s")
_LAYOUT: Final = struct.Struct(f"<{_OPENING.size}s72s32s280x")
_VERSION: Final = struct.Struct("<8sH")
_SUMMED_BYTES: Final = _LAYOUT.size


class Parent(Struct, frozen=True):
    """The file that another was compacted from, and how far it had come."""

    file_id: bytes
    sequence: int

    @property
    def known(self) -> bool:
        """False for a file that was made new."""
        return any(self.file_id)


NO_PARENT: Final = Parent(bytes(16), 0)


class Header(Struct, frozen=True):
    """What stands in the header."""

    kdf: Kdf
    file_id: bytes
    parent: Parent
    created: int
    salt: bytes
    wrapped_key: bytes
    commitment: bytes
    minor: int = _MINOR

    @classmethod
    def make(cls, secret: Secret, *, created: int) -> "Header":
        """A header for a new file: a new id, a new data key."""
        return cls._make(secret, secret.kdf, os.urandom(32), created, NO_PARENT)

    def successor(self, secret: Secret, *, created: int, sequence: int, is_rekeyed: bool = False) -> "Header":
        """A header for the file that this one is compacted into.

        The salt stays, since scrypt takes half a second, unless the secret is another one.
        """
        kdf, salt = (secret.kdf, os.urandom(32)) if is_rekeyed else (self.kdf, self.salt)
        return self._make(secret, kdf, salt, created, Parent(self.file_id, sequence))

    @classmethod
    def _make(cls, secret: Secret, kdf: Kdf, salt: bytes, created: int, parent: Parent) -> "Header":
        bare = cls(kdf, os.urandom(16), parent, created, salt, b"", b"")
        data_key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        wrapping = Xaes(secret.key_encryption_key(kdf, salt))
        wrapped_key = nonce + wrapping.encrypt(nonce, data_key, bare._opening())
        commitment = Keys.derive(data_key, bare.file_id).commitment
        return replace(bare, wrapped_key=wrapped_key, commitment=commitment)

    @property
    def first_place(self) -> Place:
        """Where the first frame stands. The tag that it names as the one before is made from the header."""
        tag = hashlib.sha256(self._opening()).digest()[:TAG_BYTES]
        return Place(FRAMES_START, self.parent.sequence, 0, tag)

    def unlock(self, secret: Secret) -> Keys:
        """The keys of this file. Raises WrongSecret."""
        wrapping = Xaes(secret.key_encryption_key(self.kdf, self.salt))
        nonce, sealed = self.wrapped_key[:NONCE_BYTES], self.wrapped_key[NONCE_BYTES:]
        try:
            keys = Keys.derive(wrapping.decrypt(nonce, sealed, self._opening()), self.file_id)
        except InvalidTag:
            raise WrongSecret("SECRET does not open the database file") from None
        if not hmac.compare_digest(keys.commitment, self.commitment):
            raise WrongSecret("SECRET opens the database file to another key than it was made with")
        return keys

    def pack(self) -> bytes:
        """One copy of the header, zeros included."""
        summed = _LAYOUT.pack(self._opening(), self.wrapped_key, self.commitment)
        return (summed + hashlib.sha256(summed).digest()).ljust(COPY_BYTES, b"\0")

    def _opening(self) -> bytes:
        kdf, parent = self.kdf, self.parent
        return _OPENING.pack(
            *(_MAGIC, MAJOR, self.minor, kdf.scrypt, kdf.log2_n, kdf.r, kdf.p),
            *(self.file_id, parent.file_id, parent.sequence, self.created, self.salt),
        )


def read_header(data: bytes) -> tuple[Header, dict[int, bytes]]:
    """The header that these first 8192 bytes hold, and what must be written where to mend a damaged copy.

    Raises Damaged, also for a newer format.
    """
    copies = {offset: data[offset : offset + COPY_BYTES] for offset in (0, COPY_BYTES)}
    intact = [copy for copy in copies.values() if _intact(copy)]
    if not intact:
        raise Damaged(_refusal(list(copies.values())))
    if len(set(intact)) > 1:
        raise Damaged("the two copies of the header are both intact, and differ")
    mends = {offset: intact[0] for offset, copy in copies.items() if copy != intact[0]}
    return _unpack(intact[0]), mends


def _intact(copy: bytes) -> bool:
    summed, rest = copy[:_SUMMED_BYTES], copy[_SUMMED_BYTES:]
    whole = hashlib.sha256(summed).digest().ljust(COPY_BYTES - _SUMMED_BYTES, b"\0")
    return rest == whole and _VERSION.unpack_from(copy) == (_MAGIC, MAJOR)


def _refusal(copies: list[bytes]) -> str:
    versions = {_VERSION.unpack_from(copy) for copy in copies if len(copy) == COPY_BYTES}
    newer = [major for magic, major in versions if magic == _MAGIC and major > MAJOR]
    if newer:
        return f"the database file has format {newer[0]}; this program reads format {MAJOR}: use a newer one"
    return (
        "both copies of the header are damaged, or this is not a database file; "
        "`jobengine db repair` says what can be kept, `jobengine db restore` puts back a copy"
    )


def _unpack(copy: bytes) -> Header:
    opening, wrapped_key, commitment = _LAYOUT.unpack_from(copy)
    _, _, minor, scrypt, log2_n, r, p, file_id, parent, sequence, created, salt = _OPENING.unpack(opening)
    kdf = Kdf(scrypt, log2_n, r, p)
    if not kdf.sane:
        raise Damaged(f"the header asks for a key derivation that is out of bounds: {kdf}")
    return Header(kdf, file_id, Parent(parent, sequence), created, salt, wrapped_key, commitment, minor)
