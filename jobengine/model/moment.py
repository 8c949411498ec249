"""What the rules may not fetch themselves."""

from hashlib import blake2b, shake_128
from struct import iter_unpack, unpack
from typing import Final

from msgspec import Struct

_LEASE_BYTES: Final = 8
_UID_BYTES: Final = 16
_UID_PARTS: Final = "8s4s4s4s12s"  # hex digits
_RANDOM_BITS: Final = bytes.fromhex(
    "ffffffffffff0fff3fffffffffffffff"
)  # of a UUID; the others are as follows
_VERSION_4: Final = bytes.fromhex("00000000000040008000000000000000")


class Moment(Struct, frozen=True, gc=False):
    """When a command is decided, and the randomness it may use."""

    now: int  # ms since the Unix epoch, by the broker's own clock
    seed: bytes  # 16 random bytes, new for each command

    def uid(self, number: int = 0) -> str:
        """A random UUID (version 4, RFC 9562) made of the seed; another one for each number."""
        seed = self.seed if number == 0 else self._derived(number)
        digits = seed.hex()
        variant = "89ab"[seed[8] >> 6]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def uids(self, count: int) -> list[str]:
        """So many random UUIDs, in a quarter of the time that they take one by one."""
        if count == 1:
            return [self.uid()]
        length = count * _UID_BYTES
        bits = int.from_bytes(shake_128(self.seed).digest(length)) & int.from_bytes(_RANDOM_BITS * count)
        digits = (bits | int.from_bytes(_VERSION_4 * count)).to_bytes(length).hex().encode()
        return [b"-".join(parts).decode() for parts in iter_unpack(_UID_PARTS, digits)]

    def lease(self) -> int:
        """The id of a new lease: 63 random bits, never 0."""
        return int.from_bytes(self.seed[8:]) >> 1 | 1

    def leases(self, count: int) -> list[int]:
        """The ids of so many new leases."""
        if count == 1:
            return [self.lease()]
        drawn = shake_128(self.seed).digest(count * _LEASE_BYTES)
        return [bits >> 1 | 1 for bits in unpack(f">{count}Q", drawn)]

    def share(self, number: int = 0) -> float:
        """A random number from 0 to below 1; another one for each number."""
        return int.from_bytes(self._derived(number + 1)[:6]) / (1 << 48)

    def _derived(self, number: int) -> bytes:
        return blake2b(number.to_bytes(4), key=self.seed, digest_size=16).digest()
