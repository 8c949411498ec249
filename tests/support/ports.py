"""Ports to listen on."""

import random
import socket


def free_port() -> int:
    """A port that nobody listens on, and that the system gives to no client either: those are from 32768 on.

    A server that is started again on its port would otherwise find a connection of another test there.
    """
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
