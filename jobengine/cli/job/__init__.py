"""`jobengine job`: jobs of a broker, asked over HTTP."""
