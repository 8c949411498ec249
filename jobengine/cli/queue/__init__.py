"""`jobengine queue`: queues of a broker, asked over HTTP."""
