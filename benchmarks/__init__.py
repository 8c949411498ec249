"""What `make bench` measures: speed and memory, beside bare aiohttp and beside other brokers."""
