"""What the clocks of the simulated machine show."""

from jobengine.engine.clock import Clock
from tests.simulation.loop import SimulatedLoop
from tests.support.clock import START_MS


class VirtualTime:
    """The time of a loop, and a wall clock that may be set."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.loop = loop
        self.step_ms = 0  # that somebody has set the wall clock ahead

    @property
    def steady_ms(self) -> int:
        """Milliseconds since the machine started."""
        return int(self.loop.time() * 1000)

    @property
    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, as the machine has them."""
        return START_MS + self.steady_ms + self.step_ms

    def monotonic(self) -> float:
        """What `time.monotonic` gives."""
        return self.loop.time()

    def clock(self, *, at_least: int = 0) -> Clock:
        """A broker's clock that is started now."""
        return Clock(wall=lambda: self.wall_ms, steady=lambda: self.steady_ms, at_least=at_least)
