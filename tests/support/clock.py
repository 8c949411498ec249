"""A clock that the test moves."""

from jobengine.engine.clock import Clock

START_MS = 1_700_000_000_000


class MovedTime:
    """What the clocks of a machine show: nothing passes but by `pass_ms`."""

    def __init__(self, wall_ms: int = START_MS) -> None:
        self.wall_ms = wall_ms
        self.steady_ms = 5_000

    def pass_ms(self, milliseconds: int) -> None:
        """Let so much time pass."""
        self.wall_ms += milliseconds
        self.steady_ms += milliseconds

    def clock(self, *, at_least: int = 0) -> Clock:
        """A broker's clock that goes by this time."""
        return Clock(wall=lambda: self.wall_ms, steady=lambda: self.steady_ms, at_least=at_least)
