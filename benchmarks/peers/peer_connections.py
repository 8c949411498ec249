"""How many connections each broker is asked over."""

CONNECTIONS = 32
