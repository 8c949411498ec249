"""What the rules may not fetch themselves."""

from msgspec import Struct


class Moment(Struct, frozen=True, gc=False):
    """When a command is decided, and the randomness it may use."""

    now: int  # ms since the Unix epoch, by the broker's own clock
    seed: bytes  # 16 random bytes, new for each command

    def uid(self) -> str:
        """A random UUID (version 4, RFC 9562) made of the seed."""
        digits = self.seed.hex()
        variant = "89ab"[self.seed[8] >> 6]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
