"""XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM with a 192-bit nonce.

The first 12 bytes of a nonce choose a derived key, the last 12 are the nonce of AES-GCM under it. Keeping the
first half for a while keeps the derived key too. Being random, no nonce comes twice, whatever is restored or
cloned.
"""

import os
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 24
TAG_BYTES: Final = 16

_HALF: Final = 12
_NONCES_PER_PREFIX: Final = 1 << 20


class Xaes:
    """Seals and opens under one 32-byte key. May be used by several threads."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._subkey = _doubled(self._block(bytes(16)))
        self._derived = lru_cache(maxsize=64)(self._derive)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """The ciphertext with its tag behind it."""
        return self._derived(nonce[:_HALF]).encrypt(nonce[_HALF:], plaintext, associated)

    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        """The plaintext. Raises cryptography's InvalidTag."""
        return self._derived(nonce[:_HALF]).decrypt(nonce[_HALF:], sealed, associated)

    def _derive(self, prefix: bytes) -> AESGCM:
        return AESGCM(self._half_key(1, prefix) + self._half_key(2, prefix))

    def _half_key(self, number: int, prefix: bytes) -> bytes:
        block = int.from_bytes(bytes((0, number)) + b"X\0" + prefix)
        return self._block((block ^ self._subkey).to_bytes(16))

    def _block(self, block: bytes) -> bytes:
        # One block as C2SP asks; nothing is encrypted in this mode.
        encryptor = Cipher(algorithms.AES256(self._key), modes.ECB()).encryptor()  # noqa: S305
        return encryptor.update(block)


class Nonces:
    """Nonces that were never used: random, the first half anew per start and per 2^20 of them."""

    def __init__(self) -> None:
        self._prefix = b""
        self._left = 0

    def next(self) -> bytes:
        """The next one."""
        if not self._left:
            self._prefix = os.urandom(_HALF)
            self._left = _NONCES_PER_PREFIX
        self._left -= 1
        return self._prefix + os.urandom(NONCE_BYTES - _HALF)


def _doubled(block: bytes) -> int:
    """The subkey of CMAC (NIST SP 800-38B): twice the block in GF(2^128)."""
    number = int.from_bytes(block) << 1
    return number ^ (1 << 128 | 0x87) if number >> 128 else number
