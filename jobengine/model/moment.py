"""What the rules may not fetch themselves."""

from hashlib import blake2b

from msgspec import Struct


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

    def lease(self, number: int = 0) -> int:
        """The id of a new lease: 63 random bits, never 0; another one for each number."""
        seed = self.seed if number == 0 else self._derived(number)
        return int.from_bytes(seed[8:]) >> 1 | 1

    def share(self, number: int = 0) -> float:
        """A random number from 0 to below 1; another one for each number."""
        return int.from_bytes(self._derived(number + 1)[:6]) / (1 << 48)

    def _derived(self, number: int) -> bytes:
        return blake2b(number.to_bytes(4), key=self.seed, digest_size=16).digest()
