"""SECRET → key-encryption key → data key → the keys that a file is read and written with."""

import base64
import binascii
import hashlib
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from jobengine.errors import ConfigurationWrong, WrongSecret

KEY_BYTES: Final = 32

_MALFORMED: Final = "hex: must be followed by 64 hexadecimal digits, base64: by the base64 form of 32 bytes"


class Kdf(Struct, frozen=True):
    """How SECRET becomes the key-encryption key. All zero: it is a key already, and HKDF is enough."""

    scrypt: int  # 1, or 0 for a key
    log2_n: int
    r: int
    p: int

    @property
    def sane(self) -> bool:
        """Nothing that a header asks for may take a minute, or a gigabyte more than a machine has."""
        if not self.scrypt:
            return self == KEY
        return self.scrypt == 1 and 10 <= self.log2_n <= 20 and 1 <= self.r <= 8 and 1 <= self.p <= 4


KEY: Final = Kdf(scrypt=0, log2_n=0, r=0, p=0)
PASSPHRASE: Final = Kdf(scrypt=1, log2_n=17, r=8, p=1)


class Secret:
    """What opens a database file: a passphrase, or a 32-byte key. Never shown."""

    def __init__(self, material: bytes, kdf: Kdf) -> None:
        self.kdf = kdf  # for new files
        self._material = material
        self._known: dict[tuple[Kdf, bytes], bytes] = {}  # scrypt takes half a second

    @classmethod
    def parse(cls, text: str, *, name: str = "SECRET") -> "Secret":
        """A SECRET as people write it: `hex:…`, `base64:…`, else a passphrase.

        Raises ConfigurationWrong, which calls it by this name.
        """
        if not text:
            raise ConfigurationWrong(f"{name}: is empty")
        try:
            key = _raw_key(text)
        except ValueError:
            # Without the cause: its text might hold the digits.
            raise ConfigurationWrong(f"{name}: {_MALFORMED}") from None
        return cls(text.encode(), PASSPHRASE) if key is None else cls(key, KEY)

    def key_encryption_key(self, kdf: Kdf, salt: bytes) -> bytes:
        """The key that wraps the data key of a file with these parameters. Raises WrongSecret."""
        if kdf.scrypt != self.kdf.scrypt:
            kind = "a passphrase" if kdf.scrypt else "a key (hex: or base64:)"
            raise WrongSecret(f"SECRET does not open the database file: it was made with {kind}")
        if (kdf, salt) not in self._known:
            self._known[kdf, salt] = self._derive(kdf, salt)
        return self._known[kdf, salt]

    def _derive(self, kdf: Kdf, salt: bytes) -> bytes:
        if not kdf.scrypt:
            return _hkdf(self._material, salt, b"jobengine key-encryption key")
        n = 1 << kdf.log2_n
        memory = 256 * kdf.r * (n + kdf.p)  # twice what it needs: OpenSSL's own limit is too low
        return hashlib.scrypt(
            self._material, salt=salt, n=n, r=kdf.r, p=kdf.p, maxmem=memory, dklen=KEY_BYTES
        )

    def __repr__(self) -> str:
        return "Secret(…)"


class Keys(Struct, frozen=True):
    """The keys of one file."""

    commitment: bytes  # stands in the header, so that no second data key opens the file
    body: bytes
    head: bytes
    anchor: bytes

    @classmethod
    def derive(cls, data_key: bytes, file_id: bytes) -> "Keys":
        """All of them, from the data key."""
        names = (b"commitment", b"body", b"head", b"anchor")
        return cls(*(_hkdf(data_key, file_id, b"jobengine " + name) for name in names))

    def __repr__(self) -> str:
        return "Keys(…)"


def _hkdf(material: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, purpose).derive(material)


def _raw_key(text: str) -> bytes | None:
    """The key that `hex:` or `base64:` announces; None for a passphrase. Raises ValueError."""
    kind, _, digits = text.partition(":")
    match kind:
        case "hex":
            key = binascii.unhexlify(digits)
        case "base64":
            key = base64.b64decode(digits, validate=True)
        case _:
            return None
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return key
