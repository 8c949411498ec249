"""For the tests of your own services: a broker in the test's process, with a clock that the test moves."""

from jobengine.testing.broker import Broker, broker

__all__ = ["Broker", "broker"]
